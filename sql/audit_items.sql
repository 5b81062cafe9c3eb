-- Whether these items belong to the sale, who bought each, and whether the decision of that code says the same.
-- `offset 0` has each item looked up by key, and by nothing but its key: the statistics do not know a sale of this hour
-- yet and assume it empty, so that a join or the index by sale would compare every item with every other.
-- $1 sale id (text), $2 items (text[])
select asked.id, i.sale_id is not null and i.sale_id = $1 as listed, p.code, p.user_id,
  d.code is not null and d.user_id = p.user_id and '+' || asked.id = any(string_to_array(d.lines, ' ')) as decided
from unnest($2::text[]) as asked (id)
  left join lateral (select sale_id from items where id = asked.id offset 0) i on true
  left join lateral (select code, user_id from purchases where sale_id = $1 and item_id = asked.id offset 0) p on true
  left join lateral (select code, user_id, lines from decisions where code = p.code and sale_id = $1 offset 0) d on true
