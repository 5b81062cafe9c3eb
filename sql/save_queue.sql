-- Notes how far a queue is. Nothing of it goes backwards. What was given is reserved, also in a Postgres that came back older.
-- $1 sale id (text), $2 those who will be drawn (int), $3 line (float8), $4 tail (float8), $5 last number given (float8)
update sale_queues set joined = greatest(joined, $2), line = greatest(line, $3), tail = greatest(tail, $4),
  reserved = greatest(reserved, $5::bigint)
where sale_id = $1
