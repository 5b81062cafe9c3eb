-- A part of a sale's items with their state, for a rebuild. Each looks its purchase up by key: see list_items.sql.
-- $1 sale id (text), $2 from position (int), $3 below position (int)
select id, name,
  (select true from purchases p where p.sale_id = items.sale_id and p.item_id = items.id) is not null as sold
from items
where sale_id = $1 and position >= $2 and position < $3
