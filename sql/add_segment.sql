-- Notes that a segment of the attempt log is being shipped in this transaction.
-- $1 id (text), $2 attempts (int)
-- returns the id, or no row when it was shipped before
insert into attempt_segments (id, attempts) values ($1, $2)
on conflict (id) do nothing
returning id
