-- Reserves numbers of later comers up to one, before Redis may give them.
-- $1 sale id (text), $2 the last of them (float8)
-- returns the last number that is reserved
update sale_queues set reserved = greatest(reserved, $2::bigint) where sale_id = $1
returning reserved::float8 as reserved
