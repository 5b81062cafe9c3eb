-- A part of a sale's items with their units, for a rebuild. Each looks its purchases up by key: see migrations/055_shelf.sql.
-- $1 sale id (text), $2 from position (int), $3 below position (int)
-- returns id, name, price, stock, the units held, and the lowest of these; null when none is
select id, name, price::float8 as price, stock, held, lowest
from items, lateral (
  select count(*)::int as held, min(unit) as lowest from purchases p where p.sale_id = items.sale_id and p.item_id = items.id
) as bought
where sale_id = $1 and position >= $2 and position < $3
