#!lua flags=allow-oom
-- Shuts the gate for a rebuild and clears what Postgres will rewrite. Carts, codes and the outbox stay.
-- A rebuild of an older epoch can neither begin nor go on afterwards.
--
-- KEYS[1] gate       string: fence "v1:epoch" or token "loading:v1:epoch", then ":run_id:master_replid"
-- KEYS[2] sale       hash
-- KEYS[3] items      hash
-- KEYS[4] names      hash
-- KEYS[5] bought     hash
-- KEYS[6] decisions  hash
-- ARGV[1] token "loading:v1:epoch" of this rebuild, which the following steps must show
-- ARGV[2] its epoch
--
-- Returns 1, or -1 when a rebuild of this or a newer epoch came first.

local info = redis.call('INFO', 'server', 'replication')
local here = string.match(info, '\nrun_id:(%x+)') .. ':' .. string.match(info, '\nmaster_replid:(%x+)')

local epoch = tonumber(string.match(redis.call('GET', KEYS[1]) or '', 'v1:(%d+):') or -1)
if epoch >= tonumber(ARGV[2]) then return -1 end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. here)
redis.call('UNLINK', unpack(KEYS, 2))
return 1
