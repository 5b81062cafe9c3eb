-- Gives the checkout attempts of a buyer another user.
-- $1 user (text), $2 the other (text)
update checkout_attempts set user_id = $2 where user_id = $1
