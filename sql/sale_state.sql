-- When a sale begins and ends, and whether anything of it can still be in Redis.
-- $1 id (text)
select (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms, retired
from sales where id = $1
