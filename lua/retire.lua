#!lua flags=allow-oom
-- Removes the keys of a sale that has ended, once its outbox is empty.
--
-- KEYS[1] sale    hash: ends_ms
-- KEYS[2] outbox  stream
-- KEYS[3…] every other key of the sale
-- ARGV[1] milliseconds that must have passed since the end
--
-- Returns 1 when nothing is left; 0 when the sale has not ended for that long, or decisions still wait.

local ends = redis.call('HGET', KEYS[1], 'ends_ms')
local time = redis.call('TIME')
if ends and time[1] * 1000 + math.floor(time[2] / 1000) < tonumber(ends) + tonumber(ARGV[1]) then return 0 end
if redis.call('XLEN', KEYS[2]) > 0 then return 0 end
redis.call('UNLINK', unpack(KEYS))
return 1
