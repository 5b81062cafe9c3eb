-- Notes what an operator did, and forgets what was done more than so many days ago.
-- $1 who (text), $2 address (text), $3 method (text), $4 path (text), $5 what (text), $6 status (int), $7 days (int)
with forgotten as (delete from actions where at < now() - make_interval(days => $7))
insert into actions (who, address, method, path, what, status) values ($1, $2, $3, $4, $5, $6)
