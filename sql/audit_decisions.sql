-- Decisions by their codes, each with the items of which it bought a unit that is neither held by it, nor withdrawn and noted so, nor
-- given back: each unit must be exactly one of these.
-- $1 sale id (text), $2 codes (text[])
select d.code, user_id, (extract(epoch from decided_at) * 1000)::float8 as decided_ms, d.lines,
  array(
    select item_id
    from string_to_table(d.lines, ' ') as line, lateral (select split_part(substr(line, 2), '@', 1) as item_id) as named
    where line like '+%' and exists (
      select
      from string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part,
        generate_series(split_part(part, '-', 1)::int, split_part(part || '-' || part, '-', 2)::int) as bought,
        lateral (
          select (
            select withdrawn from purchases p
            where p.sale_id = $1 and p.item_id = named.item_id and p.unit = bought and p.code = d.code and p.user_id = d.user_id
          ) as withdrawn
        ) as held
      where case
        when back.lines is null then withdrawn is distinct from false
        else (
          select case
            when count(*) = 0 then withdrawn is distinct from false
            when count(*) > 1 then true
            when bool_and(restocked) then withdrawn is not null
            else withdrawn is distinct from true
          end
          from returns r, string_to_table(r.lines, ' ') as given, string_to_table(coalesce(nullif(split_part(given, '@', 2), ''), '0'), ',') as run
          where r.code = d.code and split_part(given, '@', 1) = named.item_id
            and bought between split_part(run, '-', 1)::int and split_part(run || '-' || run, '-', 2)::int
        )
      end
    )
  ) as missing
from decisions d, lateral (select min(lines) as lines from returns where code = d.code) as back
where d.code = any($2::text[]) and d.sale_id = $1
