-- A part of commit_purchases.sql, only where the feed is on: one event row for all that this commit has decided and that bought something.
, told as (
  insert into events (type, sale_id, codes)
  select 'purchase.completed', min(sale_id), decode(string_agg(right(code, 32), ''), 'hex')
  from decided
  where lines like '%+%'
  having count(*) > 0
)
