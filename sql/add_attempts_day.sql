-- Adds the attempt log's partition of one day (UTC), if it is not there; see sql/migrations/003_attempt_days.sql.
-- $1 day (date)
-- returns whether it was added
select add_attempts_day($1) as added
