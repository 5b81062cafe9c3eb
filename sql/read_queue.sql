-- What Postgres holds of a queue that Redis may have lost.
-- $1 sale id (text)
select joined, reserved::float8 as reserved, line, tail, drawn from sale_queues where sale_id = $1
