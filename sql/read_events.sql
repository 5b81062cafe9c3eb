-- The feed behind a place in it: only rows of transactions that are older than every one still running, so that none can come
-- before them any more. The row of the place itself is among them while codes of it are left.
-- $1 turn (bigint), $2 seq (bigint), $3 codes of that row already read (int), $4 rows at most (int)
select turn::text as turn, seq::text as seq, (extract(epoch from at) * 1000000)::bigint::text as at_us, type, sale_id,
  encode(codes, 'hex') as codes
from events
where (turn, seq) >= ($1, $2)
  and ((turn, seq) > ($1, $2) or octet_length(codes) > 16 * $3)
  and turn < (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ahead from feed)
order by events.turn, events.seq
limit $4
