-- Notes that a rebuild has gone through, just before its gate opens.
-- $1 sale id (text), $2 epoch of the rebuild (int)
-- returns the id, or no row when a newer rebuild has begun, or the sale is retired
update sales set opened_epoch = $2 where id = $1 and epoch = $2 and not retired
returning id
