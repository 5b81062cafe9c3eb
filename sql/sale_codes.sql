-- Codes of a sale's purchases that bought something, in their order.
-- $1 code's lower bound, exclusive (text), $2 upper bound, exclusive (text), $3 user (text), or null, $4 at most (int)
select code from decisions
where code > $1 and code < $2 and ($3::text is null or user_id = $3) and lines like '%+%'
order by code
limit $4
