-- Has this transaction wait for every commit and return of a sale that is under way, and those that come later wait for it.
-- $1 id (text)
select id from sales where id = $1 for update
