-- Forgets segments that were shipped before a time; a segment's file is gone within seconds of that.
-- $1 before (timestamptz), $2 at most (int)
-- returns their number
with pruned as (
  delete from attempt_segments
  where id in (select id from attempt_segments where shipped_at < $1 limit $2)
  returning id
)
select count(*)::int as pruned from pruned
