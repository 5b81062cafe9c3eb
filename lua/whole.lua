#!lua flags=allow-oom
-- Tells whether a sale can be sold: its gate is open for this epoch and dataset, and its catalogue is whole.
--
-- KEYS[1] gate   string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale   hash: total
-- KEYS[3] items  hash: item -> 1 (unsold) | 0 (sold)
-- KEYS[4] names  hash: item -> name
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] items of the sale
--
-- Returns 1; -1 when its gate is shut; -2 when something is missing.

local info = redis.call('INFO', 'server', 'replication')
local here = string.match(info, '\nrun_id:(%x+)') .. ':' .. string.match(info, '\nmaster_replid:(%x+)')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local total = tonumber(ARGV[2])
if tonumber(redis.call('HGET', KEYS[2], 'total')) ~= total then return -2 end
if redis.call('HLEN', KEYS[3]) ~= total or redis.call('HLEN', KEYS[4]) ~= total then return -2 end
return 1
