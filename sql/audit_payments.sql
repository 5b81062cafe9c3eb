-- Payments of some codes of a sale with a payment window, beside what their decisions bought, what they hold, and what came back, all
-- as of one moment.
-- $1 sale id (text), $2 codes (text[])
select asked.code, p.state, p.units,
  (
    select sum(split_part(part || '-' || part, '-', 2)::int - split_part(part, '-', 1)::int + 1)::int
    from decisions d, string_to_table(d.lines, ' ') as line, string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part
    where d.code = asked.code and d.sale_id = $1 and line like '+%'
  ) as bought,
  -- By the keys of the decision's lines: see audit_items.sql.
  (
    select count(*)::int
    from decisions d, string_to_table(d.lines, ' ') as line,
      lateral (
        select from purchases where sale_id = $1 and item_id = split_part(substr(line, 2), '@', 1) and code = asked.code and not withdrawn
      ) as unit
    where d.code = asked.code and line like '+%'
  ) as held,
  array(select kind from returns r where r.code = asked.code order by number) as kinds
from unnest($2::text[]) as asked (code)
left join payments p on p.code = asked.code
