-- Notes that nothing of a sale is left in Redis, and how much of it was sold.
-- $1 id (text), $2 version of the facts by which it is over (int): one that was extended meanwhile is rebuilt
update sales set retired = true, sold = (select count(*) from purchases where sale_id = $1) where id = $1 and version = $2
