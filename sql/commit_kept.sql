-- A part of commit_purchases.sql, only when decisions are saved whose returns Postgres has again: unit 0 of these lines came back.
and not exists (
  select from returns r where r.code = decided.code and r.restocked and substr(line, 2) = any(string_to_array(r.lines, ' '))
)
