-- Events that are to be sent again now: of each key the oldest, since the later ones wait behind it.
-- $1 at most (int)
select id, key, body, tries
from (
  select distinct on (key) id, key, body, tries, next_at, turn, seq, n
  from webhooks_waiting where not dead order by key, turn, seq, n
) as head
where next_at <= now()
order by turn, seq, n
limit $1
