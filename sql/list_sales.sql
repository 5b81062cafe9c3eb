-- A page of sales, newest first, with what is committed as sold: counted while a sale is live, stored when it was retired;
-- and with what of it is held for payments, where the sale has a payment window.
-- It walks an index from the newest sale or from the cursor on, past sales to come and under way if only ended ones are wanted.
-- $1 ended ones only (bool), $2 after this sale (text), or null, $3 at most (int)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, paused, currency, name, payment_seconds, coalesce(sold, (select count(*) from purchases p where p.sale_id = sales.id))::int as sold,
  case when payment_seconds is not null then (select coalesce(sum(units), 0) from payments w where w.sale_id = sales.id and w.state = 'pending')::int end as held
from sales
where (starts_at, id) < (
    case when $2::text is null then 'infinity' else coalesce((select starts_at from sales where id = $2), '-infinity') end, coalesce($2, '')
  )
  and (ends_at <= now() and not cancelled or not $1)
order by starts_at desc, id desc
limit $3
