-- A part of commit_purchases.sql, only where a line of the batch has a "@", as in "+item@5-7,9": Postgres looks up the stock, for the
-- check of the table. In the plan of every batch it made those of unique items slower, and a lock on items stopped all commits.
-- $1 sale id (text)
union all
select sale_id, item_id, unit, stock, code, user_id, decided_at
from decided, string_to_table(lines, ' ') as line,
  lateral (select substr(split_part(line, '@', 1), 2) as item_id, split_part(line, '@', 2) as units offset 0) as parted,
  lateral (select (select i.stock from (select sale_id, items.stock from items where id = parted.item_id offset 0) i where i.sale_id = $1) as stock offset 0) as stocked,
  string_to_table(units, ',') as part,
  generate_series(split_part(part, '-', 1)::int, split_part(part || '-' || part, '-', 2)::int) as unit
where line like '+%@%'
-- Where some of them came back, commit_kept_units.sql comes here.
