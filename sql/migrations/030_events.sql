-- What happened, in one order without gaps: each row is written in the transaction of its fact. A reader is handed only rows of
-- transactions that are older than every one still running, in the order of `turn` and `seq`; docs/events.md has the argument.

-- Transaction ids begin anew in a cluster that a dump is restored into. `ahead` is added to each, so that turns only grow.
create table feed (
  one    boolean primary key default true check (one),
  ahead  bigint not null check (ahead >= 0)
);
insert into feed (ahead) values (0);

-- In plpgsql, since a session keeps its plan; in SQL it would be planned with every call.
create function feed_turn() returns bigint language plpgsql stable as $$
begin
  return pg_current_xact_id()::text::bigint + (select ahead from feed);
end $$;

create table events (
  -- grows with the order in which transactions took their ids
  turn     bigint not null default feed_turn(),
  seq      bigint not null generated always as identity,
  at       timestamptz not null default now(),
  type     text not null check (type ~ '^(sale|purchase)\.[a-z_]+$'),
  sale_id  text collate "C" not null,
  -- of purchases: the 16 random bytes of each code, one after the other; a commit of many is one row
  codes    bytea check (octet_length(codes) > 0 and octet_length(codes) % 16 = 0),
  primary key (turn, seq),
  check ((codes is not null) = (type like 'purchase.%'))
) with (toast_tuple_target = 8160);
-- Random bytes cannot be compressed.
alter table events alter column codes set storage external;

-- A sale opens, ends and is sold out once, however many leaders notice it.
create unique index events_stages on events (sale_id, type) where type in ('sale.opened', 'sale.sold_out', 'sale.ended');
