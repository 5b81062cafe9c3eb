-- A page of a sale's items in their order, with the units that no committed purchase holds. Each item looks its purchases up
-- by key: joined, a plan made while purchases was small compares every item with every purchase of the sale. A unique item looks
-- for one row; one with a stock counts its rows.
-- $1 sale id (text), $2 after this item (text), or null, $3 at most (int), $4 unsold only (bool)
select id, name, image_url, price, data, stock, "left"
from (
  select id, name, image_url, position, price::float8 as price, data, stock,
    case stock
      when 1 then ((select true from purchases p where p.sale_id = items.sale_id and p.item_id = items.id and p.unit = 0) is null)::int
      else stock - (select count(*) from purchases p where p.sale_id = items.sale_id and p.item_id = items.id)::int
    end as "left"
  from items
  where sale_id = $1 and ($2::text is null
    or position > (select i.position from (select sale_id, items.position from items where id = $2 offset 0) i where i.sale_id = $1))
) as item
where not $4 or "left" > 0
order by position
limit $3
