-- A sale whose items are about to change, and what time it is here; others who would change them wait.
-- $1 id (text)
-- returns its facts
-- It waits at the turnstile of commits: see commit_purchases.sql.
with turnstile as materialized (
  select pg_advisory_xact_lock(7201615, hashtext($1))
)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, paused, currency, name, retired, (extract(epoch from now()) * 1000)::float8 as now_ms
from turnstile, sales
where id = $1
for no key update of sales
