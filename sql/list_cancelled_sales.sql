-- A page of cancelled sales, newest first, with what is committed as sold: nothing, unless the sale began just as it was cancelled.
-- $1 after this sale (text), or null, $2 at most (int)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, paused, currency, name, payment_seconds, coalesce(sold, (select count(*) from purchases p where p.sale_id = sales.id))::int as sold
from sales
where cancelled and ($1::text is null or (starts_at, id) < ((select starts_at from sales where id = $1), $1))
order by starts_at desc, id desc
limit $2
