-- Raises the version of a sale above the one that Redis holds: a Postgres that came back older must outrank it.
-- $1 id (text), $2 version in Redis (int)
-- returns the id, or no row when Postgres' own is as high
update sales set version = $2 + 1 where id = $1 and version < $2
returning id
