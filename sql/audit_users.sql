-- How many units of a sale these users hold. `is true` makes Postgres hash the lists; a join planned for a few purchases
-- would compare each with each.
-- $1 sale id (text), $2 users (text[]), $3 codes whose purchases are not counted (text[])
select user_id, count(*)::int as bought
from purchases
where sale_id = $1 and not withdrawn
  and (user_id in (select unnest($2::text[]))) is true
  and (code in (select unnest($3::text[]))) is not true
group by user_id
