-- A part of commit_purchases.sql, only where the feed is on and the sale has a payment window: as tell_purchases.sql.
, told as (
  insert into events (type, sale_id, codes)
  select 'purchase.pending', min(sale_id), decode(string_agg(right(code, 32), ''), 'hex')
  from decided
  where lines like '%+%'
  having count(*) > 0
)
