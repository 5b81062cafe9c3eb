-- Notes that a rebuild has gone through, just before its gate opens.
-- $1 sale id (text), $2 epoch of the rebuild (int)
-- returns the facts as they are now that the gate is shut, or no row when a newer rebuild has begun, or the sale is retired
update sales set opened_epoch = $2 where id = $1 and epoch = $2 and not retired
returning (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, version, paused
