-- The queue of a sale: how it gives places, and what of it must survive Redis.

create table sale_queues (
  sale_id           text collate "C" primary key references sales,
  admit_per_second  double precision not null check (admit_per_second between 0 and 100000),
  -- nobody joins before; null: from the beginning
  opens_at          timestamptz,
  draws             boolean not null,
  pass_seconds      integer check (pass_seconds between 10 and 86400),
  -- drawn places are made of it: its SHA-256 is told from the beginning, itself once the draw was made
  seed              bytea not null check (octet_length(seed) = 32),
  -- signs tickets
  ticket_key        bytea not null check (octet_length(ticket_key) = 32),
  -- how many were drawn; null until the draw was made
  drawn             integer check (drawn >= 0),
  -- what Redis held a moment ago: those who will be drawn, and how far buyers are admitted, and for how far it is over
  joined            integer not null default 0 check (joined >= 0),
  line              double precision not null default 0 check (line >= 0),
  tail              double precision not null default 0 check (tail >= 0),
  -- no later comer has a number past it
  reserved          bigint not null default 0 check (reserved >= 0)
);

-- Nobody's place moves: a draw that was made is final.
create function keep_draw() returns trigger language plpgsql as $$
begin
  raise exception 'the draw of % was made', old.sale_id using errcode = 'check_violation';
end $$;
create trigger sale_queues_draw before update on sale_queues for each row
  when (old.drawn is not null and (new.drawn, new.seed, new.ticket_key) is distinct from (old.drawn, old.seed, old.ticket_key))
  execute function keep_draw();

-- What workers need to know of a sale's queue; null when it has none.
create function queue_of(sale text) returns json language sql stable as $$
  select json_build_object('rate', admit_per_second, 'opens_ms', extract(epoch from opens_at) * 1000, 'draws', draws,
    'pass_seconds', pass_seconds, 'seed', encode(seed, 'hex'), 'key', encode(ticket_key, 'hex'), 'drawn', drawn)
  from sale_queues where sale_id = sale
$$;
