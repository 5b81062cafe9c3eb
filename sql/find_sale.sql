-- One sale, with what is committed as sold, and what of it is held for payments, where the sale has a payment window.
-- $1 id (text)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, paused, currency, name, payment_seconds, coalesce(sold, (select count(*) from purchases p where p.sale_id = sales.id))::int as sold,
  case when payment_seconds is not null then (select coalesce(sum(units), 0) from payments w where w.sale_id = sales.id and w.state = 'pending')::int end as held,
  queue_of(id) as queue
from sales
where id = $1
