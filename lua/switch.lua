#!lua flags=allow-oom
-- Brings a sale's hash to the facts that Postgres holds. Older facts than it has change nothing. Other facts of the same version are from
-- a Postgres that came back older and was changed since: they replace what it has.
--
-- KEYS[1] gate  string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale  hash: version, starts_ms, ends_ms, limit, paused
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] version of the facts, ARGV[3] starts_ms, ARGV[4] ends_ms, ARGV[5] limit, ARGV[6] paused: 1 or 0
--
-- Returns the version that the hash holds from now on, or -1 when fenced.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local state = redis.call('HMGET', KEYS[2], 'version', 'starts_ms', 'ends_ms', 'limit', 'paused')
if not state[2] then return -1 end
local held, version = tonumber(state[1] or 0), tonumber(ARGV[2])
if held > version then return held end
for i = 1, 5 do
  if state[i] ~= ARGV[i + 1] then
    redis.call('HSET', KEYS[2], 'version', ARGV[2], 'starts_ms', ARGV[3], 'ends_ms', ARGV[4], 'limit', ARGV[5], 'paused', ARGV[6])
    break
  end
end
return version
