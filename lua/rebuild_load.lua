#!lua flags=allow-oom
-- Writes a part of a sale's state during a rebuild.
--
-- KEYS[1] gate  string: must hold the token of this rebuild, with this dataset
-- KEYS[2] hash  the hash to write: items, names, bought or returns
-- ARGV[1] token "loading:v1:epoch"
-- ARGV[2…] field, value, …
--
-- Returns 1, or -1 when another rebuild has taken over.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
return 1
