-- Locks payments of a sale that are pending and were due, the oldest first. One that is being settled just now is left out.
-- $1 sale id (text), $2 at most (int)
select code, units from payments
where sale_id = $1 and state = 'pending' and due_at <= now()
order by due_at, code
limit $2
for update skip locked
