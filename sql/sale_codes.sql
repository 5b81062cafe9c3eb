-- Codes of a sale's purchases that bought something, in their order.
-- $1 code's lower bound, exclusive (text), $2 upper bound, exclusive (text), $3 at most (int)
select code from decisions
where code > $1 and code < $2 and lines like '%+%'
order by code
limit $3
