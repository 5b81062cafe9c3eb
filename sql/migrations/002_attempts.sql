-- The log of checkout attempts: appended in bulk by time, read rarely. BRIN indexes cost an append
-- nothing and still lead a reader to the few pages that hold a time, a sale or a user.

create table checkout_attempts (
  at         timestamptz not null,
  worker     smallint not null,
  sale_id    text,
  user_id    text,
  item_id    text,
  outcome    text not null,
  code       text,
  request_id text not null
) partition by range (at);

create table checkout_attempts_other partition of checkout_attempts default;

create index checkout_attempts_by_time on checkout_attempts using brin (at) with (pages_per_range = 32, autosummarize = on);
create index checkout_attempts_by_sale on checkout_attempts using brin (sale_id text_bloom_ops) with (pages_per_range = 32, autosummarize = on);
create index checkout_attempts_by_user on checkout_attempts using brin (user_id text_bloom_ops) with (pages_per_range = 32, autosummarize = on);

-- Segments of the workers' spools that are in the log: each is shipped in the transaction that names it here.
create table attempt_segments (
  id          text primary key,
  attempts    integer not null,
  shipped_at  timestamptz not null default now()
);
