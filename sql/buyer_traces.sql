-- What is kept of a buyer, by sale; attempts that named no sale come under null. Reads everything: minutes in an old database.
-- $1 user (text)
select trace.sale_id, coalesce(retired, true) as retired, sum(purchases)::int as purchases, sum(decisions)::int as decisions,
  sum(attempts)::int as attempts
from (
  select sale_id, 1 as purchases, 0 as decisions, 0 as attempts from purchases where user_id = $1
  union all
  select sale_id, 0, 1, 0 from decisions where user_id = $1
  union all
  select sale_id, 0, 0, 1 from checkout_attempts where user_id = $1
) as trace left join sales on sales.id = trace.sale_id
group by trace.sale_id, retired
order by trace.sale_id
