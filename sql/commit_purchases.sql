-- Commits decisions of one sale and what they bought; existing rows stay as they are. Decisions are accepted only
-- while their epoch is the sale's: the share lock makes a rebuild wait for this commit, or this commit see the rebuild.
-- A purchase row is written only with its decision, so a unit that another code holds, or that is past the stock, fails the whole
-- statement. A line without "@" bought unit 0. Of a sale with a payment window, only the statement with commit_payments.sql commits.
-- $1 sale id (text), $2 epoch (int)
-- $3 codes (text[]), $4 users (text[]), $5 decided at, ms (float8[]), $6 lines "+item +item@5-7,9 -item" (text[])
-- $7 whether the sale has a payment window (bool)
-- returns one row with the codes that were there before, whatever their decisions say, and until when the payments of the others are
-- awaited, or null; or none when the epoch is over, or the window is otherwise
-- Whoever would change the sale waits at the turnstile (7201615), whose queue is in turn: share locks of the row let each other pass, and it
-- would wait for a moment without any.
with turnstile as materialized (
  select pg_advisory_xact_lock_shared(7201615, hashtext($1))
), open as materialized (
  select id, date_trunc('milliseconds', now() + make_interval(secs => payment_seconds)) as due_at
  from turnstile, sales where id = $1 and epoch = $2 and (payment_seconds is not null) = $7 for share of sales
), decided as (
  insert into decisions (code, sale_id, user_id, decided_at, lines)
  select code, open.id, user_id, to_timestamp(ms / 1000), lines
  from open, unnest($3::text[], $4::text[], $5::float8[], $6::text[]) as decision (code, user_id, ms, lines)
  order by code
  on conflict (code) do nothing
  returning code, sale_id, user_id, decided_at, lines
), bought as (
  insert into purchases (sale_id, item_id, unit, stock, code, user_id, purchased_at)
  select sale_id, substr(line, 2), 0, null, code, user_id, decided_at
  from decided, string_to_table(lines, ' ') as line
  where line like '+%' and strpos(line, '@') = 0
  -- Where some of them came back, commit_kept.sql comes here.
  -- Where units are numbered, commit_units.sql comes here.
)
-- In a sale with a payment window, commit_payments.sql comes here.
-- With the feed on, tell_purchases.sql comes here.
-- With both, tell_pending.sql comes here.
select array(select code from unnest($3::text[]) as posted (code) where code not in (select code from decided)) as standing,
  (extract(epoch from due_at) * 1000)::float8 as due_ms
from open
