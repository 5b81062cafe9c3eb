-- Units that came back from a purchase: a payment that failed or ran out of time, a purchase that was cancelled.

-- Restocked, a unit's row of `purchases` is deleted: whoever buys it next has a row of his own. Otherwise the row stays and is
-- withdrawn: nobody can have the unit, and its buyer's limit has room again.
alter table purchases add column withdrawn boolean not null default false;

-- One row per code and return. A unit of a code comes back once; the decision of the code stays as it was.
create table returns (
  sale_id      text collate "C" not null,
  -- from 1 without a gap, in the order of the commits: Redis follows it
  number       integer not null check (number > 0),
  code         text collate "C" not null,
  kind         text not null check (kind in ('released', 'expired', 'cancelled')),
  -- "item@0-2,5 item": unit 0 alone needs no number
  lines        text not null check (lines <> ''),
  restocked    boolean not null,
  reason       text,
  returned_at  timestamptz not null default date_trunc('milliseconds', now()),
  primary key (sale_id, number)
);
create index returns_by_code on returns (code);

-- The last number of each sale. Not in `sales`: commits hold a share lock there, and would wait.
create table return_counts (
  sale_id  text collate "C" primary key,
  last     integer not null
);
