-- How far the webhooks have read the feed, and the events behind them that have not arrived yet.
create table webhook_place (
  one   boolean primary key default true check (one),
  turn  bigint not null,
  seq   bigint not null,
  read  integer not null
);

create table webhooks_waiting (
  turn      bigint not null,
  seq       bigint not null,
  n         integer not null,
  -- the event's, which the receiver tells repetitions by
  id        text not null unique,
  -- what must arrive in order: a purchase's code, or the sale
  key       text not null,
  at        timestamptz not null,
  -- what is sent, since the event itself may be past keeping before it arrives
  body      text not null,
  tries     integer not null default 0,
  failure   text,
  first_at  timestamptz,
  next_at   timestamptz not null default now(),
  -- not tried again unless somebody asks
  dead      boolean not null default false,
  primary key (turn, seq, n)
);
create index webhooks_waiting_by_key on webhooks_waiting (key) where not dead;
