-- Has what operators do with one purchase done one after the other. Taken before a transaction has written anything, so that its id,
-- by which the feed is ordered, is later than those of all that it waited for.
-- $1 code (text)
select pg_advisory_xact_lock(7201614, hashtext($1))
