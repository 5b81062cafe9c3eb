-- What codes have given back.
-- $1 codes (text[])
select code, lines from returns where code = any($1)
