-- The decisions of some codes with the names of their lines, in the order added; each looks its item up by key. `payment` is
-- [state, due at in ms] where the sale has a payment window and something was bought.
-- $1 codes (text[])
select code, user_id, (extract(epoch from decided_at) * 1000)::float8 as decided_ms, lines,
  (select json_agg((
      select name
      from (select sale_id, name from items where id = split_part(split_part(substr(line, 2), '@', 1), '*', 1) offset 0) i
      where i.sale_id = d.sale_id
    ) order by n)
   from string_to_table(d.lines, ' ') with ordinality as l (line, n)) as names,
  (select json_build_array(state, (extract(epoch from due_at) * 1000)::float8) from payments p where p.code = d.code) as payment
from decisions d
where code = any($1::text[])
