-- Items with a stock of more than one. One row of `purchases` per unit that somebody holds.

-- An id is unique within its sale: what did not sell may be listed again. It comes first, so that an item is found by its id
-- without the statistics, which do not know a sale of this hour: see audit_items.sql.
alter table items drop constraint items_pkey, add primary key (id, sale_id);
alter table items add column stock integer not null default 1 check (stock between 1 and 1000000);

-- I1: "never more than the stock". Units are numbered from 0, each is held once (the key), and none is at or past the stock. The
-- stock is copied when a row is written, where it matters: unit 0 exists of every item, so rows of unique items look nothing up.
-- A stock only grows, so that a copy stays true.
alter table purchases add column unit integer not null default 0, add column stock integer;
alter table purchases drop constraint purchases_pkey, add primary key (sale_id, item_id, unit);
alter table purchases add constraint purchases_within_stock
  check (unit = 0 or (unit > 0 and stock is not null and unit < stock));
