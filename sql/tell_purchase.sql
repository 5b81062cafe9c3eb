-- Tells the feed what has become of one purchase.
-- $1 type (text), $2 sale id (text), $3 code (text)
insert into events (type, sale_id, codes) values ($1, $2, decode(right($3, 32), 'hex'))
