-- Notes that events were sent again in vain. Tried for too long, they are dead.
-- $1 ids (text[]), $2 failures (text[]), $3 how long until the next try, ms (float8[]), $4 dead at once (bool[])
-- $5 tries at most (int), $6 days at most (int)
-- returns the ids of those that are dead now
update webhooks_waiting w
set tries = w.tries + 1, failure = each.failure, first_at = coalesce(w.first_at, now()),
  next_at = now() + each.wait_ms * interval '1 millisecond',
  dead = each.dead or w.tries + 1 >= $5 or w.first_at < now() - make_interval(days => $6)
from unnest($1::text[], $2::text[], $3::float8[], $4::bool[]) as each (id, failure, wait_ms, dead)
where w.id = each.id
returning case when w.dead then w.id end as dead
