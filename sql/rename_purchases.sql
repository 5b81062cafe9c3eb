-- Gives the purchases of a buyer in one sale another user.
-- $1 sale id (text), $2 user (text), $3 the other (text)
update purchases set user_id = $3 where sale_id = $1 and user_id = $2
