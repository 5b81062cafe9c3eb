-- Makes the draw of a queue: fixes of how many. A draw that was made stays as it is.
-- $1 sale id (text), $2 those who joined in time, as Redis counts (int)
-- returns how many were drawn, or no row when the draw was made before
update sale_queues set drawn = greatest(joined, $2) where sale_id = $1 and drawn is null
returning drawn
