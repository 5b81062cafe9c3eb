-- Purchases of a sale that are of no item of it. Each looks its item up by key: see audit_items.sql.
-- $1 sale id (text), $2 at most (int)
select item_id as id
from purchases p
where sale_id = $1
  and not exists (select from (select i.sale_id from items i where i.id = p.item_id offset 0) of where of.sale_id = p.sale_id)
limit $2
