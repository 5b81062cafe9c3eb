-- Purchases of a sale that are of no item of it.
-- $1 sale id (text), $2 at most (int)
select item_id as id
from purchases p
where sale_id = $1 and not exists (select from items i where i.id = p.item_id and i.sale_id = p.sale_id)
limit $2
