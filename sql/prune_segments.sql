-- Forgets segments that were shipped more than so many days ago; a segment's file is gone within seconds of that.
-- $1 days (int), $2 at most (int)
-- returns their number
with pruned as (
  delete from attempt_segments
  where id in (select id from attempt_segments where shipped_at < now() - make_interval(days => $1) limit $2)
  returning id
)
select count(*)::int as pruned from pruned
