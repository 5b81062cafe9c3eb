-- Notes that a box lives, forgets those that were silent for too long, and lists the others, the youngest first.
-- Waits for no disk: a heartbeat that is lost with the server is the next one's business.
-- $1 id (text), $2 host (text), $3 port (int), $4 release (text), $5 workers (int), $6 leader (bool), $7 seconds of silence (int), $8 at most (int)
with forgotten as (
  delete from boxes where seen_at < now() - make_interval(secs => $7) and id <> $1
), beat as (
  insert into boxes (id, host, port, release, workers, leader)
  select $1, $2, $3, $4, $5, $6 from set_config('synchronous_commit', 'off', true)
  on conflict (id) do update set seen_at = now(), port = excluded.port, workers = excluded.workers, leader = excluded.leader
)
select id, release, workers, leader,
       extract(epoch from now() - started_at)::float8 as "uptimeS",
       greatest(extract(epoch from now() - seen_at), 0)::float8 as "silentS"
from boxes
where id <> $1 and seen_at >= now() - make_interval(secs => $7)
order by started_at desc
limit $8
