-- How far the webhooks are behind: what waits, what is dead, and the age of the oldest event that has not arrived and is not dead.
select waiting, dead, coalesce(extract(epoch from now() - least(oldest, next_at)), 0)::float8 as age_s
from (select count(*) filter (where not dead)::int as waiting, count(*) filter (where dead)::int as dead,
    min(at) filter (where not dead) as oldest from webhooks_waiting) as ours,
  (select min(at) as next_at from (select e.at from events e, webhook_place p
    where (e.turn, e.seq) > (p.turn, p.seq) order by e.turn, e.seq limit 1) as one) as theirs
