-- A part of a sale's buyers, in their order.
-- $1 sale id (text), $2 after this user (text), $3 at most (int)
select distinct user_id from purchases where sale_id = $1 and user_id > $2
order by user_id
limit $3
