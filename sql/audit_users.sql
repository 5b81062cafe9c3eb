-- How many items of a sale these users hold.
-- $1 sale id (text), $2 users (text[]), $3 codes whose purchases are not counted (text[])
select user_id, count(*)::int as bought
from purchases
where sale_id = $1 and user_id = any($2::text[]) and code <> all($3::text[])
group by user_id
