-- The place of an item in the order of its sale.
-- $1 sale id (text), $2 item (text)
-- returns a row, or none when the sale has no such item
select i.position from (select sale_id, items.position from items where id = $2 offset 0) i where i.sale_id = $1
