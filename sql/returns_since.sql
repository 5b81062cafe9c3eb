-- What came back behind a number, and from whom.
-- $1 sale id (text), $2 after this number (int), $3 at most (int)
select r.lines, (select user_id from decisions d where d.code = r.code) as user_id
from returns r
where sale_id = $1 and number > $2
order by number
limit $3
