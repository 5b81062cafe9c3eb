-- Gives items of a sale more units. A stock only grows: see migrations/010_units.sql.
-- $1 sale id (text), $2 ids (text[]), $3 the new stock of each (int[])
update items set stock = raised.stock
from unnest($2::text[], $3::int[]) as raised (id, stock)
where items.id = raised.id and items.sale_id = $1 and items.stock < raised.stock
