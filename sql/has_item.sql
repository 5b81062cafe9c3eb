-- Whether a sale has an item.
-- $1 sale id (text), $2 item (text)
-- returns a row, or none
select true as found from items where id = $2 and sale_id = $1
