-- Notes that nothing of a sale is left in Redis.
-- $1 id (text)
update sales set retired = true where id = $1
