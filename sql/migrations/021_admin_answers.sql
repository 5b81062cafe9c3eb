-- What was answered to requests of the admin API that had an Idempotency-Key. A row is written in the transaction of what the
-- request did, so that either both are there or neither.
create table admin_answers (
  key      text collate "C" primary key,
  -- SHA-256 of the request: its method, path, query, type and body
  request  text not null,
  -- null only within the transaction
  status   integer,
  location text,
  body     text,
  made_at  timestamptz not null default now()
);
create index admin_answers_made_at on admin_answers (made_at);
