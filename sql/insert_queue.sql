-- Gives a sale a queue. One that does not draw has drawn nobody.
-- $1 sale id (text), $2 admitted per second (float8), $3 opens_at (timestamptz), or null, $4 whether it draws (bool)
-- $5 seconds of a pass (int), or null, $6 seed (bytea), $7 key of tickets (bytea)
insert into sale_queues (sale_id, admit_per_second, opens_at, draws, pass_seconds, seed, ticket_key, drawn)
values ($1, $2, $3, $4, $5, $6, $7, case when $4 then null else 0 end)
