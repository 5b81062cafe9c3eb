#!lua flags=allow-oom
-- Tells Redis what Postgres has of a queue: buyers may go by so much of its line, and so many numbers may be given. A Redis that does
-- not hold the queue is given it back. Nothing goes backwards: in an old copy, numbers go on behind all that may have been given.
--
-- KEYS[1] queue  hash: dataset, joined, later, most, line, shown, tail, clock, at
-- KEYS[2] past   list: "clock line"
-- ARGV[1] those who will be drawn, ARGV[2] last number that is reserved, ARGV[3] line, ARGV[4] tail
--
-- Returns 1.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')

local dataset, joined, later, most, line, shown, tail =
  unpack(redis.call('HMGET', KEYS[1], 'dataset', 'joined', 'later', 'most', 'line', 'shown', 'tail'))
local function higher(held, given) return tonumber(held or 0) > tonumber(given) and held or given end
if dataset ~= here then
  local time = redis.call('TIME')
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'dataset', here, 'joined', higher(joined, ARGV[1]), 'later', higher(later, ARGV[2]),
    'line', higher(line, ARGV[3]), 'tail', higher(tail, ARGV[4]), 'clock', 0, 'at', time[1] * 1000 + math.floor(time[2] / 1000))
end
redis.call('HSET', KEYS[1], 'most', higher(most, ARGV[2]), 'shown', higher(shown, ARGV[3]))
return 1
