-- Begins a rebuild: waits for the commits under way and refuses every later commit of an older epoch. The new epoch is above
-- Postgres' own, and above those that Redis and the keeper know, which may be ahead of a Postgres that has lost its last commits.
-- $1 sale id (text), $2 the highest epoch that they know, 0 without one (int)
-- returns the sale with its new epoch, or no row when it is retired
update sales set epoch = greatest(epoch, $2) + 1 where id = $1 and not retired
returning epoch, opened_epoch, total,
  coalesce((select max(position) + 1 from items where items.sale_id = sales.id), 0) as items
