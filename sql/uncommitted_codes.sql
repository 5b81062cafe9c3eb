-- Which of these codes have no committed decision. Each is looked up by key: see audit_items.sql.
-- $1 codes (text[])
select code from unnest($1::text[]) as asked (code)
where (select true from decisions d where d.code = asked.code) is null
