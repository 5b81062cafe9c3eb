-- Which of the keys have an event that waits.
-- $1 keys (text[])
select distinct key from webhooks_waiting where not dead and key = any($1)
