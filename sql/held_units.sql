-- How many units of a sale are held for payments that are pending.
-- $1 sale id (text)
select coalesce(sum(units), 0)::int as held from payments where sale_id = $1 and state = 'pending'
