-- Sales that may still have keys in Redis, oldest first.
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, hourly, epoch, paused, version, currency, name, payment_seconds,
  coalesce((select max(position) + 1 from items where items.sale_id = sales.id), 0) as items,
  queue_of(id) as queue
from sales
where not retired
order by starts_at, id
