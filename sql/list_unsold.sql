-- Unsold items of some stretches of a sale, in their order, with what is left of each: see migrations/055_shelf.sql.
-- $1 sale id (text), $2 positions at which the stretches begin (int[]), $3 positions of one stretch (int)
-- $4 after this position (int), $5 of one stretch at most (int)
-- returns the items, each with the position at which its stretch begins
select start, id, name, image_url, price, data, stock, "left"
from unnest($2::int[]) as stretch (start), lateral (
  select position, id, name, image_url, price::float8 as price, data, stock, "left"
  from shelf
  where sale_id = $1 and position >= start and position < start + $3 and position > $4 and "left" > 0
  order by position
  limit $5
) as item
order by position
