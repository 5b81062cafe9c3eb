-- Begins a rebuild: waits for the commits under way and refuses every later commit of an older epoch. The new epoch is above
-- Postgres' own, and above those that Redis and the keeper know, which may be ahead of a Postgres that has lost its last commits.
-- $1 sale id (text), $2 the highest epoch that they know, 0 without one (int)
-- returns the new epoch, and the last one whose rebuild went through; or no row when the sale is retired
-- It waits at the turnstile of commits: see commit_purchases.sql.
with turnstile as materialized (
  select pg_advisory_xact_lock(7201615, hashtext($1))
)
update sales set epoch = greatest(epoch, $2) + 1 from turnstile where id = $1 and not retired
returning epoch, opened_epoch
