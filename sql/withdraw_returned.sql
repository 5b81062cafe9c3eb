-- Withdraws the units that codes have given back and that are not for sale again.
-- $1 sale id (text), $2 codes (text[])
update purchases set withdrawn = true where not withdrawn and ctid = any(array(
  select p.place
  from returns r, string_to_table(r.lines, ' ') as line,
    string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part,
    generate_series(split_part(part, '-', 1)::int, split_part(part || '-' || part, '-', 2)::int) as held,
    lateral (
      select ctid as place from purchases
      where sale_id = $1 and item_id = split_part(line, '@', 1) and unit = held and code = r.code
      for update
    ) p
  where r.code = any($2) and not r.restocked
))
