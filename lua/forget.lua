#!lua flags=allow-oom
-- Deletes outbox entries whose decisions are committed in Postgres.
--
-- KEYS[1] gate    string: fence or token, and the dataset that it was made for
-- KEYS[2] outbox  stream
-- ARGV[1] fence "v1:epoch", or the token "loading:v1:epoch" of a rebuild
-- ARGV[2…] entry ids
--
-- Returns the number of entries deleted; -1 when fenced.

local info = redis.call('INFO', 'server', 'replication')
local here = string.match(info, '\nrun_id:(%x+)') .. ':' .. string.match(info, '\nmaster_replid:(%x+)')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end
return redis.call('XDEL', KEYS[2], unpack(ARGV, 2))
