#!lua flags=allow-oom
-- Writes a part of a sale's state during a rebuild.
--
-- KEYS[1] gate  string: must hold the token of this rebuild
-- KEYS[2] hash  the hash to write: items, names or bought
-- ARGV[1] token "loading:epoch:run_id"
-- ARGV[2…] field, value, …
--
-- Returns 1, or 0 when another rebuild has taken over.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
return 1
