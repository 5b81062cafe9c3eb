-- Unsold items of some stretches of a sale, in their order. Each looks its purchases up by key: see list_items.sql.
-- $1 sale id (text), $2 positions at which the stretches begin (int[]), $3 positions of one stretch (int)
-- $4 after this position (int), $5 of one stretch at most (int)
-- returns the items, each with the position at which its stretch begins
select start, id, name, image_url, price, data, stock, "left"
from unnest($2::int[]) as stretch (start), lateral (
  select position, id, name, image_url, price, data, stock, "left"
  from (
    select position, id, name, image_url, price::float8 as price, data, stock,
      case stock
        when 1 then ((select true from purchases p where p.sale_id = items.sale_id and p.item_id = items.id and p.unit = 0) is null)::int
        else stock - (select count(*) from purchases p where p.sale_id = items.sale_id and p.item_id = items.id)::int
      end as "left"
    from items
    where sale_id = $1 and position >= start and position < start + $3 and position > $4
  ) as shown
  where "left" > 0
  order by position
  limit $5
) as item
order by position
