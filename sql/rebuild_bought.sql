-- How many units of a sale each user holds.
-- $1 sale id (text)
select user_id, count(*)::int as bought from purchases where sale_id = $1 and not withdrawn group by user_id
