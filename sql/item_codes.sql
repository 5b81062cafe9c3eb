-- Codes of the purchases that bought an item, in their order.
-- $1 sale id (text), $2 item (text), $3 user (text), or null, $4 after this code (text), $5 at most (int)
select distinct code from purchases
where sale_id = $1 and item_id = $2 and ($3::text is null or user_id = $3) and code > $4
order by code
limit $5
