-- A part of a sale's decisions, by code.
-- $1 first code's lower bound, exclusive (text), $2 upper bound, exclusive (text), $3 at most (int)
select code, user_id, (extract(epoch from decided_at) * 1000)::float8 as decided_ms, lines
from decisions where code > $1 and code < $2
order by code
limit $3
