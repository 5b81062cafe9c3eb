-- A part of commit_purchases.sql, only where the sale has a payment window: what a decision bought waits for its payment.
, awaited as (
  insert into payments (code, sale_id, units, due_at)
  select code, sale_id, units, due_at
  from open, decided, lateral (
    select sum(case when line not like '+%@%' then 1 else (
        select sum(split_part(part || '-' || part, '-', 2)::int - split_part(part, '-', 1)::int + 1)
        from string_to_table(split_part(line, '@', 2), ',') as part
      ) end) as units
    from string_to_table(lines, ' ') as line
    where line like '+%'
  ) as bought
  where units is not null
)
