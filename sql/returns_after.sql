-- Returns of a sale behind a number, in their order.
-- $1 sale id (text), $2 after this number (int), $3 at most (int)
select number, code, kind, restocked, (extract(epoch from returned_at) * 1000)::float8 as returned_ms, lines, reason
from returns
where sale_id = $1 and number > $2
order by number
limit $3
