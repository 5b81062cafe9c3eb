#!lua flags=allow-oom
-- Removes the keys of a sale that has ended, once its outbox is empty and Postgres has all of its decisions.
--
-- KEYS[1] gate    string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] outbox  stream
-- KEYS[3] decisions  hash: code -> decision
-- KEYS[4] sale    hash: version
-- KEYS[5…] every other key of the sale
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] its end as Postgres says, ms since 1970; the clock is Redis'
-- ARGV[3] milliseconds that must have passed since then
-- ARGV[4] decisions that Postgres has of the sale
-- ARGV[5] version of the facts that its end is of
--
-- Returns 1 when they are gone; 0 when the sale has not ended for that long, decisions still wait, Postgres has not as
-- many as Redis, or the sale was changed since; -1 when fenced.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) < tonumber(ARGV[2]) + tonumber(ARGV[3]) then return 0 end
if tonumber(redis.call('HGET', KEYS[4], 'version') or 0) > tonumber(ARGV[5]) then return 0 end
if redis.call('XLEN', KEYS[2]) > 0 or redis.call('HLEN', KEYS[3]) ~= tonumber(ARGV[4]) then return 0 end
redis.call('UNLINK', unpack(KEYS))
return 1
