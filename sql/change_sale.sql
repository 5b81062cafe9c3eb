-- Changes a sale, if nobody has changed it since it was read, and tells the feed.
-- $1 id (text), $2 version that was read (int), $3 paused (bool), $4 starts_at (timestamptz), $5 ends_at (timestamptz),
-- $6 user_limit (int), $7 name (text), or null, $8 types of the events to tell (text[])
-- $9 its queue as it shall be (json), or null: as it is; the seed and the key are of use to a sale that had none
-- returns the new version, or no row
-- It waits at the turnstile of commits: see commit_purchases.sql.
with turnstile as materialized (
  select pg_advisory_xact_lock(7201615, hashtext($1))
), changed as (
  update sales set paused = $3, starts_at = $4::timestamptz, ends_at = $5::timestamptz, user_limit = $6, name = $7, cancelled = ($5::timestamptz = $4::timestamptz), version = version + 1
  from turnstile
  where id = $1 and version = $2 and not retired
  returning id, version
), told as (
  insert into events (type, sale_id) select type, id from changed, unnest($8::text[]) as type
), queued as (
  insert into sale_queues (sale_id, admit_per_second, opens_at, draws, pass_seconds, seed, ticket_key, drawn)
  select id, q.rate, to_timestamp(q.opens_ms / 1000), q.draws, q.pass_seconds, decode(q.seed, 'hex'), decode(q.key, 'hex'),
    case when q.draws then null else 0 end
  from changed, json_to_record($9::json) as q (rate float8, opens_ms float8, draws bool, pass_seconds int, seed text, key text)
  where $9 is not null
  on conflict (sale_id) do update
    set admit_per_second = excluded.admit_per_second, opens_at = excluded.opens_at, pass_seconds = excluded.pass_seconds
)
select version from changed
