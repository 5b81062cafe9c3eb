-- Sales, newest first; all of them, or those of one state, or one by its id.
-- $1 state: scheduled, active, ended (text), or null; $2 id (text), or null; $3 at most (int)
select id, (extract(epoch from starts_at) * 1000)::float8 as starts_ms, (extract(epoch from ends_at) * 1000)::float8 as ends_ms,
  total, (select count(*) from purchases p where p.sale_id = sales.id)::int as sold
from sales
where ($1::text is null
    or $1 = 'scheduled' and starts_at > now()
    or $1 = 'active' and starts_at <= now() and ends_at > now()
    or $1 = 'ended' and ends_at <= now())
  and ($2::text is null or id = $2)
order by starts_at desc, id desc
limit $3
