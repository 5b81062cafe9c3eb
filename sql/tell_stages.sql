-- Writes into the feed which of the sales have opened, ended or been sold out, each once.
-- $1 sales that Redis knows to be sold out (text[])
-- returns what was told
insert into events (type, sale_id)
select stage.type, s.id
from sales s, lateral (values
  ('sale.opened', s.starts_at, s.starts_at <= now()),
  ('sale.sold_out', s.ends_at, s.id = any($1) and (select count(*) from purchases p where p.sale_id = s.id) >= s.total),
  ('sale.ended', s.ends_at, s.ends_at <= now())
) as stage (type, at, is_over)
where not s.retired and not s.cancelled
  and not exists (select from events e where e.sale_id = s.id and e.type = stage.type
    and e.type in ('sale.opened', 'sale.sold_out', 'sale.ended'))
  and stage.is_over
order by stage.at
on conflict (sale_id, type) where type in ('sale.opened', 'sale.sold_out', 'sale.ended') do nothing
returning type, sale_id
