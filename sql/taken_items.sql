-- Of some item ids, those that a sale has, in the order of the ids; each row has the number of all of them.
-- $1 ids (text[]), $2 at most (int)
select item.id, sale_id, count(*) over ()::int as taken
from unnest($1::text[]) with ordinality as given (id, n) join items item on item.id = given.id
order by n
limit $2
