-- A part of a sale's items in their order, for the audit.
-- $1 sale id (text), $2 from position (int), $3 below position (int)
select id from items where sale_id = $1 and position >= $2 and position < $3
