-- The decision of a code with the names of its lines, in the order added; each looks its item up by key.
-- $1 code (text)
select lines,
  (select json_agg((select name from items i where i.id = substr(line, 2)) order by n)
   from string_to_table(d.lines, ' ') with ordinality as l (line, n)) as names
from decisions d
where code = $1
