-- A page of a sale's items in their order, with whether a committed purchase holds them.
-- $1 sale id (text), $2 after this item (text), or null, $3 at most (int), $4 unsold only (bool)
select i.id, i.name, i.image_url, p.item_id is not null as sold
from items i left join purchases p on p.sale_id = i.sale_id and p.item_id = i.id
where i.sale_id = $1
  and ($2::text is null or i.position > (select position from items where id = $2 and sale_id = $1))
  and (not $4 or p.item_id is null)
order by i.position
limit $3
