-- Codes of a user's purchases in a sale, in their order. Materialized: sought in the order of codes, which is none on disk, one user
-- among a million took 1.4 s.
-- $1 code's lower bound, exclusive (text), $2 upper bound, exclusive (text), $3 user (text), $4 at most (int)
with own as materialized (
  select code from decisions where code > $1 and code < $2 and user_id = $3 and lines like '%+%'
)
select code from own order by code limit $4
