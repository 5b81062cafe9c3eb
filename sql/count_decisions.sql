-- How many decisions a sale has.
-- $1 the least code of the sale (text), $2 the least code past the sale (text)
-- returns one row: decisions (int)
select count(*)::int as decisions from decisions where code >= $1 and code < $2
