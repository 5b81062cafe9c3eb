-- Some returns of a sale, each with the items of which it gives back a unit that its code did not buy, or null when the code was never
-- decided.
-- $1 sale id (text), $2 numbers (int[])
select number, code, kind, restocked, (extract(epoch from returned_at) * 1000)::float8 as returned_ms, lines, reason,
  (select array(
      select split_part(line, '@', 1)
      from string_to_table(r.lines, ' ') as line
      where exists (
        select
        from string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part,
          generate_series(split_part(part, '-', 1)::int, split_part(part || '-' || part, '-', 2)::int) as given
        where not exists (
          select
          from string_to_table(d.lines, ' ') as bought, string_to_table(coalesce(nullif(split_part(bought, '@', 2), ''), '0'), ',') as run
          where split_part(bought, '@', 1) = '+' || split_part(line, '@', 1)
            and given between split_part(run, '-', 1)::int and split_part(run || '-' || run, '-', 2)::int
        )
      )
    )
    from (select lines from decisions where code = r.code and sale_id = $1 offset 0) as d
  ) as strange
from returns r
where sale_id = $1 and number = any($2)
