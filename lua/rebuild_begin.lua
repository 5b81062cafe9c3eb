#!lua flags=allow-oom
-- Shuts the gate for a rebuild and clears what Postgres will rewrite. Carts, codes and the outbox stay.
-- A rebuild of an older epoch can neither begin nor go on afterwards.
--
-- KEYS[1] gate       string: "epoch:run_id", or "loading:epoch:run_id" during a rebuild
-- KEYS[2] sale       hash
-- KEYS[3] items      hash
-- KEYS[4] names      hash
-- KEYS[5] bought     hash
-- KEYS[6] decisions  hash
-- ARGV[1] epoch of this rebuild
-- ARGV[2] token "loading:epoch:run_id" that the following steps must show
--
-- Returns 1, or 0 when a rebuild of this or a newer epoch came first.

local gate = redis.call('GET', KEYS[1]) or ''
local epoch = tonumber(string.match(gate, '^(%d+):') or string.match(gate, '^loading:(%d+):') or '-1')
if epoch >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('UNLINK', unpack(KEYS, 2))
return 1
