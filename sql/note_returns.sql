-- Notes returns that Redis holds and Postgres has lost, under the next numbers, in their order; what of their units is still held comes
-- back. Only while the epoch of the rebuild is the sale's.
-- $1 sale id (text), $2 epoch (int)
-- $3 codes (text[]), $4 kinds (text[]), $5 whether each is back on the shelf (bool[]), $6 lines "item@0-2,5 item" (text[])
-- $7 reasons, or null (text[]), $8 returned at, ms (float8[])
-- returns a row, or none when the epoch is over
with open as materialized (
  select id from sales where id = $1 and epoch = $2 for share
), lost as materialized (
  select n, code, kind, restocked, lines, reason, to_timestamp(ms / 1000) as returned_at
  from open, unnest($3::text[], $4::text[], $5::bool[], $6::text[], $7::text[], $8::float8[]) with ordinality
    as lost (code, kind, restocked, lines, reason, ms, n)
), counted as (
  insert into return_counts (sale_id, last) select $1, count(*) from lost having count(*) > 0
  on conflict (sale_id) do update set last = return_counts.last + excluded.last
  returning last
), noted as (
  insert into returns (sale_id, number, code, kind, lines, restocked, reason, returned_at)
  select $1, counted.last - (select count(*) from lost) + n, code, kind, lines, restocked, reason, returned_at
  from counted, lost
), shelved as (
  -- Each is looked up by key: see audit_items.sql.
  delete from purchases where ctid = any(array(
    select p.place
    from lost, string_to_table(lines, ' ') as line,
      string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part,
      generate_series(split_part(part, '-', 1)::int, split_part(part || '-' || part, '-', 2)::int) as number,
      lateral (
        select ctid as place from purchases
        where sale_id = $1 and item_id = split_part(line, '@', 1) and unit = number and code = lost.code
        for update
      ) p
    where restocked
  ))
)
select id from open
