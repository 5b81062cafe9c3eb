-- Drops the attempt log's oldest partition if all of it is older than so many days (UTC). By Postgres' clock: a leader's that is
-- ahead would drop what is to be kept.
-- $1 days (int)
-- returns its name, or null
select drop_attempts_before((now() at time zone 'UTC')::date - $1::int) as dropped
