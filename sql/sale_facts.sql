-- Everything that Postgres knows of a sale but its items, and what time it is here.
-- $1 id (text)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, hourly, paused, version, epoch, retired, currency, name, payment_seconds, (extract(epoch from now()) * 1000)::float8 as now_ms,
  case when retired then sold else (select count(*) from purchases p where p.sale_id = sales.id)::int end as sold,
  case when payment_seconds is not null then (select coalesce(sum(units), 0) from payments w where w.sale_id = sales.id and w.state = 'pending')::int end as held,
  queue_of(id) as queue
from sales
where id = $1
