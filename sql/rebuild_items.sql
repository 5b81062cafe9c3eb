-- A part of a sale's items with their state, for a rebuild.
-- $1 sale id (text), $2 from position (int), $3 below position (int)
select i.id, i.name, p.item_id is not null as sold
from items i left join purchases p on p.sale_id = i.sale_id and p.item_id = i.id
where i.sale_id = $1 and i.position >= $2 and i.position < $3
