-- The boxes that serve this database, each known by its heartbeat: what one of them can say of the others.
create table boxes (
  -- one run of the service on one box
  id         text primary key,
  host       text not null,
  port       integer not null,
  release    text not null,
  workers    integer not null,
  leader     boolean not null,
  started_at timestamptz not null default now(),
  seen_at    timestamptz not null default now()
) with (fillfactor = 50);
