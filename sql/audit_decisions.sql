-- Decisions by their codes, each with the items that it bought and purchases does not hold for it.
-- $1 sale id (text), $2 codes (text[])
select code, user_id, (extract(epoch from decided_at) * 1000)::float8 as decided_ms, lines,
  array(
    select substr(line, 2)
    from string_to_table(d.lines, ' ') as line
    where line like '+%' and (
      select true
      from purchases p
      where p.sale_id = $1 and p.item_id = substr(line, 2) and p.code = d.code and p.user_id = d.user_id
    ) is null
  ) as missing
from decisions d
where code = any($2::text[]) and sale_id = $1
