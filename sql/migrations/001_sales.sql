-- Sales, their items, what was bought, and what was decided. Facts are only ever added.

create table sales (
  id          text collate "C" primary key check (id ~ '^S-[0-9a-f]{10}$'),
  starts_at   timestamptz not null,
  ends_at     timestamptz not null check (ends_at > starts_at),
  total       integer not null check (total > 0),
  user_limit  integer not null check (user_limit > 0),
  hourly      boolean not null,
  -- grows with every rebuild; a decision may only be committed under the epoch it was made in
  epoch       integer not null default 0,
  -- the last epoch whose rebuild went through: decisions of older ones that were not committed by then are void
  opened_epoch integer not null default 0,
  -- true once the sale is over, its outbox is empty and its keys are gone from Redis
  retired     boolean not null default false,
  created_at  timestamptz not null default now()
);

-- One hourly sale per hour, whoever schedules it.
create unique index sales_hourly on sales (starts_at) where hourly;
create index sales_live on sales (starts_at) where not retired;

create table items (
  -- unique over all sales: an id of the last hour can never buy an item of this one
  id         text collate "C" primary key check (id ~ '^[A-Za-z0-9._:-]{1,64}$'),
  sale_id    text collate "C" not null references sales,
  position   integer not null check (position >= 0),
  name       text not null,
  image_url  text not null,
  unique (sale_id, position)
);

-- I1: the primary key. One row per item sold, written only together with its decision.
create table purchases (
  sale_id       text collate "C" not null,
  item_id       text collate "C" not null,
  code          text not null,
  user_id       text not null,
  purchased_at  timestamptz not null,
  primary key (sale_id, item_id)
);

-- I5: the primary key. One row per code with its full answer, for ever.
create table decisions (
  -- begins with the sale's id: the decisions of a sale are one range of this index
  code        text collate "C" primary key,
  sale_id     text not null,
  user_id     text not null,
  decided_at  timestamptz not null,
  -- every line of the cart in the order added: "+item" bought, "-item" lost
  lines       text not null
);
