-- The decision of a code with the names of its lines, in the order added.
-- $1 code (text)
select d.lines,
  (select json_agg(i.name order by l.n) from string_to_table(d.lines, ' ') with ordinality as l (line, n) join items i on i.id = substr(l.line, 2)) as names
from decisions d
where d.code = $1
