-- Partitions of the attempt log are made ready beside it and attached, so that neither a dump nor midnight holds anybody up.

-- Adds the partition of one day (UTC). Rows of that day that have landed in the default partition move into it.
-- Waits for its locks for a second at most (55P03), and changes nothing then: whoever asks, asks again.
-- Returns whether it was added; false when it was there.
create function add_attempts_day(day date) returns boolean language plpgsql as $$
declare
  part text := 'checkout_attempts_' || to_char(day, 'YYYYMMDD');
  from_at timestamptz := day::timestamp at time zone 'UTC';
  to_at timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
  if to_regclass(part) is not null then return false; end if;
  perform set_config('lock_timeout', '1s', true);
  -- Attaching takes this lock anyway; taken first, no row can come between the move and the attachment.
  lock table checkout_attempts_other in access exclusive mode;
  execute format('create table %I (like checkout_attempts including defaults including constraints)', part);
  execute format(
    'with moved as (delete from checkout_attempts_other where at >= %L and at < %L returning *) insert into %I select * from moved',
    from_at, to_at, part);
  execute format('alter table checkout_attempts attach partition %I for values from (%L) to (%L)', part, from_at, to_at);
  return true;
end $$;

-- Drops the oldest partition if all of it is older than the day (UTC). Waits for its locks for a second at most.
-- Returns its name, or null when there is none so old.
create function drop_attempts_before(day date) returns text language plpgsql as $$
declare
  part text;
begin
  select c.relname into part
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'checkout_attempts'::regclass
    and c.relname ~ '^checkout_attempts_\d{8}$' and c.relname < 'checkout_attempts_' || to_char(day, 'YYYYMMDD')
  order by c.relname
  limit 1;
  if part is null then return null; end if;
  perform set_config('lock_timeout', '1s', true);
  execute format('drop table %I', part);
  return part;
end $$;
