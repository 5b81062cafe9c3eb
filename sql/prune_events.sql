-- Forgets those of the oldest events that are past keeping. What a live sale has become is kept until it is retired: it would be told
-- anew. So is the newest event, the place of a reader that has read everything.
-- $1 days (int), $2 at most (int)
-- returns the number of rows
with oldest as (
  select turn, seq, at, type, sale_id from events order by turn, seq limit $2
), gone as (
  delete from events using oldest
  where events.turn = oldest.turn and events.seq = oldest.seq
    and oldest.at < now() - make_interval(days => $1)
    and (oldest.turn, oldest.seq) < (select e.turn, e.seq from events e order by e.turn desc, e.seq desc limit 1)
    and (oldest.type like 'purchase.%' or not exists (select from sales s where s.id = oldest.sale_id and not s.retired))
  returning 1
)
select count(*)::int as rows from gone
