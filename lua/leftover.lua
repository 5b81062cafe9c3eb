#!lua flags=allow-oom
-- Reads outbox entries that their worker should have committed by now. The gate is looked at at the same instant,
-- so that they can only be committed under the epoch they were read in.
--
-- KEYS[1] gate    string: fence or token, and the dataset that it was made for
-- KEYS[2] outbox  stream
-- ARGV[1] fence "v1:epoch", or the token "loading:v1:epoch" of a rebuild
-- ARGV[2] first entry: '-' for the oldest, '(id' for the one after that
-- ARGV[3] least age in ms; '' for every entry, whatever its time
-- ARGV[4] most entries
--
-- Returns -1 when fenced; otherwise the entries as XRANGE returns them: {id, {'epoch', epoch, code, decision, …}}.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local time = redis.call('TIME')
local newest = '+'
if ARGV[3] ~= '' then
  newest = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[3]))
end
return redis.call('XRANGE', KEYS[2], ARGV[2], newest, 'COUNT', ARGV[4])
