-- Adds a part of the items of a sale, in their order. Fails on an id that the sale has already.
-- $1 sale id (text), $2 position of the first (int), $3 ids (text[]), $4 names (text[]), $5 image URLs (text[])
-- $6 prices (bigint[]), $7 data as JSON (text[]); null where an item has none; $8 units of each (int[])
insert into items (id, sale_id, position, name, image_url, price, data, stock)
select id, $1, $2 + n - 1, name, image_url, price, data::json, stock
from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::int[]) with ordinality
  as item (id, name, image_url, price, data, stock, n)
