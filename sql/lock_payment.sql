-- Locks the payment of a purchase while it is pending: whoever settles it otherwise waits, and finds it settled.
-- $1 code (text)
-- returns the code, or no row
select code from payments where code = $1 and state = 'pending' for update
