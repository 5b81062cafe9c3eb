#!lua flags=allow-oom
-- Deletes outbox entries whose decisions are committed in Postgres.
--
-- KEYS[1] gate    string: fence or token, and the dataset that it was made for
-- KEYS[2] sale    hash: entries, the number of those in the outbox
-- KEYS[3] outbox  stream
-- ARGV[1] fence "v1:epoch", or the token "loading:v1:epoch" of a rebuild
-- ARGV[2…] entry ids
--
-- Returns the number of entries deleted; -1 when fenced.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end
local deleted = redis.call('XDEL', KEYS[3], unpack(ARGV, 2))
-- Once a rebuild has cleared the sale, nothing is counted.
if deleted > 0 and redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HINCRBY', KEYS[2], 'entries', -deleted) end
return deleted
