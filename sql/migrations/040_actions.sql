-- What operators did through the admin API, for whoever asks later: who, when, what.
create table actions (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default now(),
  -- 'token', 'console' (a session of the page), or 'anybody' where the admin API is open
  who     text not null,
  address text not null,
  method  text not null,
  path    text not null,
  -- the query and the body of the request, as far as they are kept
  what    text not null,
  status  integer not null
);
create index actions_at on actions (at);
