-- A part of commit_units.sql, as commit_kept.sql is one of commit_purchases.sql: these units came back.
and not exists (
  select
  from returns r, string_to_table(r.lines, ' ') as back, string_to_table(coalesce(nullif(split_part(back, '@', 2), ''), '0'), ',') as run
  where r.code = decided.code and r.restocked and split_part(back, '@', 1) = item_id
    and unit between split_part(run, '-', 1)::int and split_part(run || '-' || run, '-', 2)::int
)
