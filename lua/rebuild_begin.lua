#!lua flags=allow-oom
-- Shuts the gate for a rebuild, and clears nothing yet. A rebuild of an older epoch can neither begin nor go on afterwards.
--
-- KEYS[1] gate  string: fence "v1:epoch" or token "loading:v1:epoch", then ":run_id:master_replid"; "doubted:" may stand before it
-- KEYS[2] sale  hash: epoch
-- ARGV[1] token "loading:v1:epoch" of this rebuild, which the following steps must show
-- ARGV[2] its epoch
--
-- Returns -1 when a rebuild of this or a newer epoch came first; otherwise two numbers: the epoch that the decisions in
-- Redis are of, 0 when it is not known; 1 when the gate was shut because of a contradiction, else 0.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')

local gate = redis.call('GET', KEYS[1]) or ''
local epoch = tonumber(string.match(gate, 'v1:(%d+):') or 0)
if epoch >= tonumber(ARGV[2]) then return -1 end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. here)
local of = tonumber(redis.call('HGET', KEYS[2], 'epoch') or epoch)
return { of, string.find(gate, '^doubted:') and 1 or 0 }
