#!lua flags=allow-oom
-- Deletes outbox entries whose decisions are committed in Postgres.
--
-- KEYS[1] gate    string: the fence that is let in, or the token of a rebuild
-- KEYS[2] outbox  stream
-- ARGV[1] what the gate must hold: fence or token
-- ARGV[2…] entry ids
--
-- Returns the number of entries deleted; -1 when fenced.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
return redis.call('XDEL', KEYS[2], unpack(ARGV, 2))
