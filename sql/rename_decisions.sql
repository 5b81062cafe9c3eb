-- Gives the decisions of a buyer in one sale another user.
-- $1 code's lower bound, exclusive (text), $2 upper bound, exclusive (text), $3 user (text), $4 the other (text)
update decisions set user_id = $4 where code > $1 and code < $2 and user_id = $3
