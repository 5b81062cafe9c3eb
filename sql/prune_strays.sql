-- Deletes attempts in the default partition that are older than so many days (UTC): no partition of a day will ever take them.
-- $1 days (int), $2 at most (int)
-- returns their number
with pruned as (
  delete from checkout_attempts_other
  where ctid in (select ctid from checkout_attempts_other where at < ((now() at time zone 'UTC')::date - $1::int)::timestamp at time zone 'UTC' limit $2)
  returning at
)
select count(*)::int as pruned from pruned
