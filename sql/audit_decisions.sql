-- Decisions by their codes, each with the items of which it bought a unit that purchases does not hold for it, and that it has not
-- given back.
-- $1 sale id (text), $2 codes (text[])
select code, user_id, (extract(epoch from decided_at) * 1000)::float8 as decided_ms, lines,
  array(
    select split_part(substr(line, 2), '@', 1)
    from string_to_table(d.lines, ' ') as line
    where line like '+%' and exists (
      select
      from string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part,
        generate_series(split_part(part, '-', 1)::int, split_part(part || '-' || part, '-', 2)::int) as bought
      where case
        when (
          select true
          from purchases p
          where p.sale_id = $1 and p.item_id = split_part(substr(line, 2), '@', 1) and p.unit = bought
            and p.code = d.code and p.user_id = d.user_id
        ) then false
        else not exists (
          select
          from returns r, string_to_table(r.lines, ' ') as back, string_to_table(coalesce(nullif(split_part(back, '@', 2), ''), '0'), ',') as run
          where r.code = d.code and r.restocked and split_part(back, '@', 1) = split_part(substr(line, 2), '@', 1)
            and bought between split_part(run, '-', 1)::int and split_part(run || '-' || run, '-', 2)::int
        )
      end
    )
  ) as missing
from decisions d
where code = any($2::text[]) and sale_id = $1
