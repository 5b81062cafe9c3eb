-- What Postgres knows of a sale as a whole, for the audit.
-- $1 sale id (text)
select (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, epoch, retired, payment_seconds is not null as has_window,
  (select count(*) from items i where i.sale_id = sales.id)::int as items,
  (select coalesce(sum(stock), 0) from items i where i.sale_id = sales.id)::int as units,
  (select count(*) from purchases p where p.sale_id = sales.id)::int as purchases,
  (select count(*) from returns r where r.sale_id = sales.id)::int as returns,
  coalesce((select last from return_counts c where c.sale_id = sales.id), 0) as last_return
from sales
where id = $1
