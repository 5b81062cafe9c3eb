-- Adds the items of a sale, in their order. Fails on an id that any sale has already.
-- $1 sale id (text), $2 ids (text[]), $3 names (text[]), $4 image URLs (text[])
insert into items (id, sale_id, position, name, image_url)
select id, $1, n - 1, name, image_url from unnest($2::text[], $3::text[], $4::text[]) with ordinality as item (id, name, image_url, n)
