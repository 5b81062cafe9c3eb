-- Settles payments of one sale that are pending, and tells the feed. Whoever comes second finds them settled.
-- $1 codes (text[]), $2 new state (text), $3 type of the event (text), or null
-- returns the codes that were settled
with settled as (
  update payments set state = $2, settled_at = now() where code = any($1) and state = 'pending' returning code, sale_id
), told as (
  insert into events (type, sale_id, codes)
  select $3, min(sale_id), decode(string_agg(right(code, 32), ''), 'hex') from settled
  having $3::text is not null and count(*) > 0
)
select code from settled
