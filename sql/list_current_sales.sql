-- A page of the sales that are to come, or under way, newest first, with what is committed as sold, and what of it is
-- held for payments, where the sale has a payment window. None of them is retired, which
-- has an index of its own.
-- $1 state: scheduled, active, paused (text), $2 after this sale (text), or null, $3 at most (int)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, paused, currency, name, payment_seconds, (select count(*) from purchases p where p.sale_id = sales.id)::int as sold,
  case when payment_seconds is not null then (select coalesce(sum(units), 0) from payments w where w.sale_id = sales.id and w.state = 'pending')::int end as held
from sales
where not retired and ends_at > now() and not cancelled
  and $1 = case when starts_at > now() then 'scheduled' when paused then 'paused' else 'active' end
  and ($2::text is null or (starts_at, id) < ((select starts_at from sales where id = $2), $2))
order by starts_at desc, id desc
limit $3
