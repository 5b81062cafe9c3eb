-- Events that could not be delivered, in the order of the feed.
-- $1 turn (bigint), $2 seq (bigint), $3 place in the row (int), of the last one before, $4 at most (int)
select id, body, tries, failure, (extract(epoch from first_at) * 1000)::float8 as first_ms
from webhooks_waiting
where dead and (turn, seq, n) > ($1, $2, $3)
order by turn, seq, n
limit $4
