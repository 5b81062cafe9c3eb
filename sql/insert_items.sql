-- Adds a part of the items of a sale, in their order. Fails on an id that any sale has already.
-- $1 sale id (text), $2 position of the first (int), $3 ids (text[]), $4 names (text[]), $5 image URLs (text[])
insert into items (id, sale_id, position, name, image_url)
select id, $1, $2 + n - 1, name, image_url from unnest($3::text[], $4::text[], $5::text[]) with ordinality as item (id, name, image_url, n)
