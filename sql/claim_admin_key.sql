-- Takes an Idempotency-Key for this transaction. Waits for another one that holds it; when that one commits, the key is taken.
-- $1 key (text), $2 SHA-256 of the request (text)
-- returns the key, or no row when it is taken
insert into admin_answers (key, request) values ($1, $2)
on conflict (key) do nothing
returning key
