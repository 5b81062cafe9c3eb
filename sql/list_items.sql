-- A page of a sale's items in their order, with what is left of each: see migrations/055_shelf.sql.
-- $1 sale id (text), $2 after this item (text), or null, $3 at most (int), $4 unsold only (bool)
select id, name, image_url, price::float8 as price, data, stock, "left"
from shelf
where sale_id = $1 and (not $4 or "left" > 0) and ($2::text is null
  or position > (select i.position from (select sale_id, items.position from items where id = $2 offset 0) i where i.sale_id = $1))
order by position
limit $3
