-- The place of an item in the order of its sale.
-- $1 sale id (text), $2 item (text)
-- returns a row, or none when the sale has no such item
select position from items where id = $2 and sale_id = $1
