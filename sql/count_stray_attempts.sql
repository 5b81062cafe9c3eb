-- Attempts that are in the default partition, since their day had none.
-- $1 counted at most (int)
select count(*)::int as attempts from (select from checkout_attempts_other limit $1) as stray
