-- Payment windows. A sale that has one keeps a row for each purchase that bought something, written with its decision.

-- How long the units of a purchase wait for its payment; null: a purchase is final at once.
alter table sales add column payment_seconds integer;
alter table sales add constraint sales_payment_seconds check (payment_seconds between 10 and 86400) not valid;

create table payments (
  code        text collate "C" primary key,
  sale_id     text collate "C" not null,
  -- what the decision bought
  units       integer not null check (units > 0),
  -- by Postgres' clock
  due_at      timestamptz not null,
  -- leaves 'pending' once, by an update that asks for it
  state       text not null default 'pending' check (state in ('pending', 'confirmed', 'released', 'expired')),
  settled_at  timestamptz,
  check ((settled_at is null) = (state = 'pending'))
);
create index payments_due on payments (due_at) where state = 'pending';
create index payments_held on payments (sale_id) include (units) where state = 'pending';
