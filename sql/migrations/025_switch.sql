-- What an operator changes of a sale that exists: paused, its times, its limit.

alter table sales add column paused boolean not null default false;
-- Grows with every change of facts that Redis must hold too; Redis keeps the one it has been brought to.
alter table sales add column version integer not null default 1;

-- A cancelled sale ends where it begins: it is never open, and everything that goes by times is right about it.
alter table sales add column cancelled boolean not null default false;
alter table sales drop constraint sales_check;
alter table sales add constraint sales_span check (case when cancelled then ends_at = starts_at else ends_at > starts_at end);
create index sales_cancelled on sales (starts_at desc, id desc) where cancelled;
