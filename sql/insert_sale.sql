-- Adds a sale; an hourly sale of an hour that has one already is not added.
-- $1 id (text), $2 starts_at (timestamptz), $3 ends_at (timestamptz), $4 total (int), $5 user_limit (int), $6 hourly (bool)
-- $7 currency (text), or null; $8 name (text), or null; $9 payment_seconds (int), or null
-- returns the id, or no row
insert into sales (id, starts_at, ends_at, total, user_limit, hourly, currency, name, payment_seconds)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (starts_at) where hourly do nothing
returning id
