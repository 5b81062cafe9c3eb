#!lua flags=allow-oom
-- Moves the admission line of a sale's queue by Redis' clock, and tells where it stands. The line never goes back, waits while
-- nobody can buy, and does not run ahead of those who have joined.
--
-- KEYS[1] queue  hash: dataset, version, starts, ends, opens, paused, rate, pass, drawn, begun, joined, later, most, line, shown,
--                tail, clock, at, held; `shown` is as much of the line as Postgres has: buyers go by it
-- KEYS[2] past   list: "clock line", where the line stood, newest first
-- ARGV[1] version of the facts that follow, ARGV[2] starts, ARGV[3] ends, ARGV[4] opens, in ms since 1970, ARGV[5] paused: 1 or 0
-- ARGV[6] places per second, ARGV[7] ms for which an admitted place is good, 0 without end
-- ARGV[8] those who were drawn, -1 while the draw was not made
-- ARGV[9] 1 when checkouts were shed since the last call, else 0
--
-- Returns -1 when this Redis does not hold the queue; otherwise one text: begun joined later shown tail held line.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
local FIELDS = {
  'dataset', 'version', 'starts', 'ends', 'paused', 'rate', 'pass', 'drawn', 'begun', 'joined', 'later', 'line', 'shown', 'tail', 'clock', 'at', 'held',
}
local q = {}
for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(FIELDS))) do q[FIELDS[i]] = value end
if q.dataset ~= here then return -1 end
local drawn = tonumber(q.drawn or -1)
for _, name in ipairs(FIELDS) do q[name] = tonumber(q[name] or 0) end

-- How long the line waits after checkouts were shed, and the longest time that it makes up for when nobody has moved it.
local HOLD_MS, STEP_MAX_MS = 1000, 1000
-- A pass is as exact as a part of it, or as a second.
local SAMPLES = 600

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[9] == '1' then q.held = now + HOLD_MS end
-- What passed since the last call passed under the facts of then.
local step = math.min(now - q.at, now - q.starts, STEP_MAX_MS)
if q.version > 0 and drawn >= 0 and q.paused == 0 and now < q.ends and now >= q.held and step > 0 then
  q.clock = q.clock + step
  q.line = math.max(q.line, math.min(q.line + q.rate * step / 1000, drawn + q.later))
end

if tonumber(ARGV[1]) > q.version then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'starts', ARGV[2], 'ends', ARGV[3], 'opens', ARGV[4], 'paused', ARGV[5],
    'rate', ARGV[6], 'pass', ARGV[7])
  q.starts, q.pass = tonumber(ARGV[2]), tonumber(ARGV[7])
end
if drawn < 0 and tonumber(ARGV[8]) >= 0 then redis.call('HSET', KEYS[1], 'drawn', ARGV[8]) end
if now >= q.starts then q.begun = 1 end

if q.pass > 0 then
  local last = redis.call('LINDEX', KEYS[2], 0)
  local every = math.max(1000, q.pass / SAMPLES)
  if not last or q.clock - tonumber(string.match(last, '^%S+')) >= every then
    redis.call('LPUSH', KEYS[2], string.format('%.17g %.17g', q.clock, q.line))
  end
  local oldest = redis.call('LINDEX', KEYS[2], -1)
  while oldest do
    local clock, line = string.match(oldest, '^(%S+) (%S+)$')
    if tonumber(clock) > q.clock - q.pass then break end
    q.tail = math.max(q.tail, tonumber(line))
    redis.call('RPOP', KEYS[2])
    oldest = redis.call('LINDEX', KEYS[2], -1)
  end
end

local line, tail = string.format('%.17g', q.line), string.format('%.17g', q.tail)
redis.call('HSET', KEYS[1], 'at', now, 'held', q.held, 'begun', q.begun, 'line', line, 'tail', tail, 'clock', string.format('%.17g', q.clock))
return table.concat({ q.begun, q.joined, q.later, string.format('%.17g', q.shown), tail, now < q.held and 1 or 0, line }, ' ')
