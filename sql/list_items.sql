-- A page of a sale's items in their order, with whether a committed purchase holds them. Each item looks its purchase up
-- by key: joined, a plan made while purchases was small compares every item with every purchase of the sale.
-- $1 sale id (text), $2 after this item (text), or null, $3 at most (int), $4 unsold only (bool)
select id, name, image_url, sold, price, data
from (
  select id, name, image_url, position, price::float8 as price, data,
    (select true from purchases p where p.sale_id = items.sale_id and p.item_id = items.id) is not null as sold
  from items
  where sale_id = $1 and ($2::text is null or position > (select case sale_id when $1 then position end from items where id = $2))
) as item
where not ($4 and sold)
order by position
limit $3
