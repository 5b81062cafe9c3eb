-- The stock of those of some items that a sale has.
-- $1 sale id (text), $2 ids (text[])
select id, stock from items where id = any($2) and sale_id = $1
