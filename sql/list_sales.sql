-- A page of sales, newest first; all of them, or those of one state, or one by its id. Only those that are not retired are
-- counted: a year of hourly sales costs a page no more than a day of them.
-- $1 state: scheduled, active, ended (text), or null; $2 id (text), or null; $3 at most (int); $4 after this sale (text), or null
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, user_limit, currency, name,
  case when retired then sold else (select count(*) from purchases p where p.sale_id = sales.id)::int end as sold
from sales
where ($1::text is null
    or $1 = 'scheduled' and starts_at > now()
    or $1 = 'active' and starts_at <= now() and ends_at > now()
    or $1 = 'ended' and ends_at <= now())
  and ($2::text is null or id = $2)
  and ($4::text is null or (starts_at, id) < (select starts_at, id from sales where id = $4))
order by starts_at desc, id desc
limit $3
