-- Forgets events that have arrived.
-- $1 ids (text[])
delete from webhooks_waiting where id = any($1)
