-- A part of the codes of a sale's payments, in their order.
-- $1 code's lower bound, exclusive (text), $2 upper bound, exclusive (text), $3 at most (int)
select code from payments where code > $1 and code < $2
order by code
limit $3
