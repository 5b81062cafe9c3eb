-- What Postgres holds of some items: the stock (null when the item is not one of the sale); the units held, without those of
-- codes that wait; the lowest unit held and one code that holds one; a purchase that the decision of its code does not bear out; and
-- codes that hold a unit which another, waiting code has been given too.
-- `offset 0` has each item looked up by key, and by nothing but its key: the statistics do not know a sale of this hour
-- yet and assume it empty, so that a join or the index by sale would compare every item with every other.
-- $1 sale id (text), $2 items (text[]), $3 codes that wait (text[])
-- $4 items (text[]), $5 units (int[]) and $6 codes (text[]) of the units that wait
select asked.id, i.stock, h.held, h.lowest, h.code, strange.code as strange_code, strange.user_id as strange_user,
  array(
    select p.code
    from unnest($4::text[], $5::int[], $6::text[]) as waiting (id, unit, code),
      lateral (select code from purchases where sale_id = $1 and item_id = waiting.id and unit = waiting.unit offset 0) p
    where waiting.id = asked.id and p.code <> waiting.code
  ) as clashes
from unnest($2::text[]) as asked (id)
  left join lateral (
    select stock from (select sale_id, items.stock from items where id = asked.id offset 0) found where found.sale_id = $1
  ) i on true
  left join lateral (
    select count(*) filter (where code <> all($3::text[]))::int as held, min(unit) as lowest, min(code) as code
    from purchases where sale_id = $1 and item_id = asked.id
  ) h on true
  left join lateral (
    select p.code, p.user_id
    from (select code, user_id, unit from purchases where sale_id = $1 and item_id = asked.id offset 0) p
      left join lateral (select user_id, lines from decisions where code = p.code and sale_id = $1 offset 0) d on true
    where d.user_id is distinct from p.user_id or not exists (
      select from string_to_table(d.lines, ' ') as line,
        string_to_table(coalesce(nullif(split_part(line, '@', 2), ''), '0'), ',') as part
      where split_part(line, '@', 1) = '+' || asked.id
        and p.unit between split_part(part, '-', 1)::int and split_part(part || '-' || part, '-', 2)::int
    )
    limit 1
  ) strange on true
