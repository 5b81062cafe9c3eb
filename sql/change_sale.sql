-- Changes a sale, if nobody has changed it since it was read, and tells the feed.
-- $1 id (text), $2 version that was read (int), $3 paused (bool), $4 starts_at (timestamptz), $5 ends_at (timestamptz),
-- $6 user_limit (int), $7 name (text), or null, $8 types of the events to tell (text[])
-- returns the new version, or no row
with changed as (
  update sales set paused = $3, starts_at = $4::timestamptz, ends_at = $5::timestamptz, user_limit = $6, name = $7, cancelled = ($5::timestamptz = $4::timestamptz), version = version + 1
  where id = $1 and version = $2 and not retired
  returning id, version
), told as (
  insert into events (type, sale_id) select type, id from changed, unnest($8::text[]) as type
)
select version from changed
