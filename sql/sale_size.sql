-- How large a sale is. A statement of its own: one that waited for a lock returns the locked row as it is then, and all else as it was before.
-- $1 sale id (text)
-- returns its units, and as `items` the position behind the last
select total, coalesce((select max(position) + 1 from items where items.sale_id = sales.id), 0) as items
from sales
where id = $1
