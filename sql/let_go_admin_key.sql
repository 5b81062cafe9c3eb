-- Gives back an Idempotency-Key that was taken in this transaction: the request is refused.
-- $1 key (text)
delete from admin_answers where key = $1
