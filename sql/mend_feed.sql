-- Lifts the turns to come above all that there are. Only a database that was restored into another cluster needs it, where
-- transaction ids are lower than those of the dump.
-- returns by how much, or no row
update feed set ahead = ahead + lift.by
from (
  select max(turn) + 1 - (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint + ahead from feed) as by from events
) as lift
where lift.by > 0
returning lift.by::text as lifted
