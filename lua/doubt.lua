#!lua flags=allow-oom
-- Shuts the gate of a sale that Postgres has contradicted: what Redis holds of it is wrong, and must be rebuilt.
--
-- KEYS[1] gate  string: "v1:epoch:run_id:master_replid"; from now on "doubted:" stands before it
-- ARGV[1] fence "v1:epoch"
--
-- Returns 1, or -1 when the gate lets that epoch in no longer.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

redis.call('SET', KEYS[1], 'doubted:' .. ARGV[1] .. ':' .. here)
return 1
