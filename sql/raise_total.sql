-- Gives a sale more units in all, which Redis is then rebuilt to.
-- $1 id (text), $2 units (int)
update sales set total = total + $2, version = version + 1 where id = $1
