-- Sales with payments that are pending and were due, by Postgres' clock.
-- returns for each since when the oldest was due, in s
select sale_id, extract(epoch from now() - min(due_at))::float8 as age_s
from payments
where state = 'pending' and due_at <= now()
group by sale_id
order by sale_id
