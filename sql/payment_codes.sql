-- Codes of a sale's purchases whose payments are in one of some states, in their order.
-- $1 code's lower bound, exclusive (text), $2 upper bound, exclusive (text), $3 states (text[]), $4 at most (int)
select code from payments
where code > $1 and code < $2 and state = any($3::text[])
order by code
limit $4
