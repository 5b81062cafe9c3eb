-- Takes units back from codes of one sale, and notes each code's return under the next number. What a code does not hold, or not any
-- more, stays as it is: the same again changes nothing. While a rebuild reads the sale nothing is taken back, so that it sees
-- a return whole or not at all. The last lock is that of the numbers: they grow in the order of the commits.
-- $1 sale id (text), $2 codes (text[]), $3 the lines of each, "item@0-2,5 item" (text[]): null means all that it holds
-- $4 kind (text), $5 back on the shelf (bool), $6 reason (text), or null
-- returns epoch, retired, the returns with their numbers as JSON, codes without a decision; or no row: a rebuild is under way, or there is no such sale
with live as materialized (
  select id, epoch, retired from sales where id = $1 and not retired and epoch = opened_epoch for share
), over as materialized (
  -- Its sold units are counted no more: this corrects the count.
  select id, epoch, retired from sales where id = $1 and retired for no key update
), open as materialized (
  select * from live union all select * from over
), asked as materialized (
  select posted.code, posted.lines from open, unnest($2::text[], $3::text[]) as posted (code, lines)
), decided as materialized (
  select asked.code, d.code is not null as is_known,
    coalesce(asked.lines, (select string_agg(substr(line, 2), ' ') from string_to_table(d.lines, ' ') as line where line like '+%')) as lines
  from asked left join lateral (select code, lines from decisions where code = asked.code and sale_id = $1 offset 0) d on true
), held as materialized (
  -- Each is looked up by key: see audit_items.sql.
  select p.place
  from decided, string_to_table(lines, ' ') as line,
    string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part,
    generate_series(split_part(part, '-', 1)::int, split_part(part || '-' || part, '-', 2)::int) as number,
    lateral (
      select ctid as place from purchases
      where sale_id = $1 and item_id = split_part(line, '@', 1) and unit = number and code = decided.code and not withdrawn
      for update
    ) p
  where is_known
), shelved as (
  delete from purchases where $5 and ctid = any(array(select place from held)) returning code, item_id, unit
), withdrew as (
  update purchases set withdrawn = true where not $5 and ctid = any(array(select place from held)) returning code, item_id, unit
), runs as (
  select code, item_id, min(unit) as first, max(unit) as last
  from (
    select code, item_id, unit, unit - row_number() over (partition by code, item_id order by unit) as run
    from (select * from shelved union all select * from withdrew) as given
  ) as numbered
  group by code, item_id, run
), lines as (
  select code, item_id, string_agg(case when first = last then first::text else first || '-' || last end, ',' order by first) as units
  from runs
  group by code, item_id
), given as materialized (
  select code, string_agg(case units when '0' then item_id else item_id || '@' || units end, ' ' order by item_id) as lines,
    row_number() over (order by code) as n
  from lines
  group by code
), counted as (
  insert into return_counts (sale_id, last) select $1, count(*) from given having count(*) > 0
  on conflict (sale_id) do update set last = return_counts.last + excluded.last
  returning last
), noted as (
  insert into returns (sale_id, number, code, kind, lines, restocked, reason)
  select $1, counted.last - (select count(*) from given) + n, code, $4, lines, $5, $6
  from counted, given
  returning number, code, lines
), uncounted as (
  update sales set sold = sales.sold - (select count(*) from shelved) from over where sales.id = over.id and exists (select from shelved)
)
select epoch, retired,
  (select coalesce(json_agg(json_build_object('number', number, 'code', code, 'lines', lines) order by number), '[]') from noted) as given,
  array(select code from decided where not is_known) as unknown
from open
