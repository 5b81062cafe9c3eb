-- Writes into the feed which of the sales have opened, ended or been sold out, each once. One that was retired before anybody told its
-- end, since nobody led for a minute, still ends within a day.
-- $1 sales that Redis knows to be sold out (text[])
-- returns what was told
with s as (
  select id, total, starts_at, ends_at, false as retired from sales where not retired and not cancelled
  union all
  select id, total, starts_at, ends_at, true from sales
  where retired and starts_at > now() - interval '8 days' and ends_at > now() - interval '1 day'
    and exists (select from events e where e.sale_id = sales.id and e.type = 'sale.opened')
)
insert into events (type, sale_id)
select stage.type, s.id
from s, lateral (values
  ('sale.opened', s.starts_at, not s.retired and s.starts_at <= now()),
  ('sale.sold_out', s.ends_at,
    not s.retired and s.id = any($1) and (select count(*) from purchases p where p.sale_id = s.id) >= s.total),
  ('sale.ended', s.ends_at, s.ends_at <= now())
) as stage (type, at, is_over)
where not exists (select from events e where e.sale_id = s.id and e.type = stage.type
    and e.type in ('sale.opened', 'sale.sold_out', 'sale.ended'))
  and stage.is_over
order by stage.at
on conflict (sale_id, type) where type in ('sale.opened', 'sale.sold_out', 'sale.ended') do nothing
returning type, sale_id
