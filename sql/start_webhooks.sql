-- Where the webhooks are in the feed. The first time that is its end: what happened before is nobody's news.
-- returns the place
with begun as (
  insert into webhook_place (turn, seq, read)
  select pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ahead - 1, 9223372036854775807, 0
  from feed
  where not exists (select from webhook_place)
  on conflict do nothing
  returning turn, seq, read
)
select turn::text as turn, seq::text as seq, read from webhook_place
union all
select turn::text, seq::text, read from begun
