-- Drops the attempt log's oldest partition if all of it is older than a day (UTC).
-- $1 day (date)
-- returns its name, or null
select drop_attempts_before($1) as dropped
