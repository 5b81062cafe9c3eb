-- Whether these items belong to the sale, who bought each, and whether the decision of that code says the same.
-- $1 sale id (text), $2 items (text[])
select asked.id, i.id is not null as listed, p.code, p.user_id,
  d.code is not null and d.user_id = p.user_id and '+' || asked.id = any(string_to_array(d.lines, ' ')) as decided
from unnest($2::text[]) as asked (id)
  left join items i on i.id = asked.id and i.sale_id = $1
  left join purchases p on p.sale_id = $1 and p.item_id = asked.id
  left join decisions d on d.code = p.code and d.sale_id = $1
