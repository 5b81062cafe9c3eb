-- Keeps the answer to the request that has taken an Idempotency-Key in this transaction.
-- $1 key (text), $2 status (int), $3 location (text), or null, $4 body (text)
update admin_answers set status = $2, location = $3, body = $4 where key = $1
