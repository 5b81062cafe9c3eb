-- One sale, with what is committed as sold.
-- $1 id (text)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, paused, currency, name, payment_seconds, coalesce(sold, (select count(*) from purchases p where p.sale_id = sales.id))::int as sold
  , queue_of(id) as queue
from sales
where id = $1
