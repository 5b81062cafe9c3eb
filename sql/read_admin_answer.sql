-- What was answered to the request that took an Idempotency-Key.
-- $1 key (text)
select request, status, location, body from admin_answers where key = $1
