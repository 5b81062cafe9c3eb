-- Whether an event that somebody names is kept; its time tells it from another one that took its place after Postgres had lost it.
-- $1 turn (bigint), $2 seq (bigint), $3 at, in microseconds since 1970 (bigint)
select from events where turn = $1 and seq = $2 and (extract(epoch from at) * 1000000)::bigint = $3
