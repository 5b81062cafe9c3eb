-- Forgets answers to the admin API that are older than so many hours.
-- $1 hours (int), $2 at most (int)
-- returns their number
with pruned as (
  delete from admin_answers
  where key in (select key from admin_answers where made_at < now() - make_interval(hours => $1) limit $2)
  returning key
)
select count(*)::int as pruned from pruned
