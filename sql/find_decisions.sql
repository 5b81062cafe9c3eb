-- The decisions of some codes with [name, price] of their lines, in the order added; each looks its item up by key. `payment` is
-- [state, due at in ms] where the sale has a payment window and something was bought. `returns` are those of its units that came back,
-- in their order.
-- $1 codes (text[])
select code, user_id, (extract(epoch from decided_at) * 1000)::float8 as decided_ms, lines,
  (select json_agg((
      select json_build_array(name, price)
      from (select sale_id, name, price from items where id = split_part(split_part(substr(line, 2), '@', 1), '*', 1) offset 0) i
      where i.sale_id = d.sale_id
    ) order by n)
   from string_to_table(d.lines, ' ') with ordinality as l (line, n)) as items,
  (select json_build_array(state, (extract(epoch from due_at) * 1000)::float8) from payments p where p.code = d.code) as payment,
  (select json_agg(json_build_object('kind', kind, 'lines', string_to_array(lines, ' '), 'restocked', restocked, 'reason', reason,
      'returned_ms', (extract(epoch from returned_at) * 1000)::float8) order by number)
   from returns r where r.code = d.code) as returns
from decisions d
where code = any($1::text[])
