-- Moves the webhooks on in the feed, and notes what has not arrived on the way; nothing when another leader has moved them.
-- $1 turn (bigint), $2 seq (bigint), $3 read (int), where they are; $4 turn (bigint), $5 seq (bigint), $6 read (int), where they go
-- $7 turns (bigint[]), $8 seqs (bigint[]), $9 places in their rows (int[]), $10 ids (text[]), $11 keys (text[])
-- $12 at, ms (float8[]), $13 bodies (text[]), $14 failures (text[]), '' for an event that was not tried
-- $15 how long until the next try, ms (float8[]), $16 dead (bool[])
-- returns a row when they were moved
with moved as (
  update webhook_place set turn = $4, seq = $5, read = $6 where turn = $1 and seq = $2 and read = $3 returning one
), noted as (
  insert into webhooks_waiting (turn, seq, n, id, key, at, body, tries, failure, first_at, next_at, dead)
  select each.turn, each.seq, each.n, id, key, to_timestamp(at_ms / 1000), body,
    case failure when '' then 0 else 1 end, nullif(failure, ''), case failure when '' then null else now() end,
    now() + wait_ms * interval '1 millisecond', dead
  from moved, unnest($7::bigint[], $8::bigint[], $9::int[], $10::text[], $11::text[], $12::float8[], $13::text[], $14::text[],
    $15::float8[], $16::bool[]) as each (turn, seq, n, id, key, at_ms, body, failure, wait_ms, dead)
  on conflict (turn, seq, n) do nothing
)
select one from moved
