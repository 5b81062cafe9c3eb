-- Forgets a box that leaves.
-- $1 id (text)
delete from boxes where id = $1
