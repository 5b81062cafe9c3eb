#!lua flags=allow-oom
-- Brings a sale to returns that Postgres has noted: units come back to the shelf, or are withdrawn, and their buyers have room again.
-- Returns that were brought before change nothing.
--
-- KEYS[1] gate       string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale       hash: items; returned, the number of the last return; sold, free, gone, buyers, changes
-- KEYS[3] items      hash: item -> units left
-- KEYS[4] bought     hash: user -> number of units bought
-- KEYS[5] decisions  hash: code -> decision "decided_ms user …"
-- KEYS[6] free       sorted set: "item@unit", units for sale that have a number above one that is held
-- KEYS[7] returns    hash: number -> return, as it is given here
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] channel that hears "sale epoch changes gone +item +item …": these items have units again; see lua/purchase.lua
-- ARGV[3] sale id
-- ARGV[4…] number, return, … 500 at most, in the order of the numbers; a return is "code kind restocked returned_ms item@0-2,5 item …", then a tab
--          and what else is known of it; restocked is 1 or 0; see src/store/returns.ts
--
-- Returns the number of the last return that the sale has from now on; -1 when fenced, or when items are lost; -2, and nothing has changed, when a return
-- before these is missing, another one has this number, or its code or an item is not known.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local sale, items, bought, decisions, free, returns = unpack(KEYS, 2)

local state = redis.call('HMGET', sale, 'returned', 'sold', 'free', 'gone', 'buyers', 'changes', 'items')
if not state[1] then return -1 end
for i = 1, #state do state[i] = tonumber(state[i] or 0) end
local returned, sold, freeUnits, gone, buyers, changes = unpack(state, 1, 6)

-- What is new: the returns, their codes, and whether their units come back.
local fresh, codes, lines, restocked = {}, {}, {}, {}
for i = 4, #ARGV, 2 do
  local number, text = tonumber(ARGV[i]), ARGV[i + 1]
  if number <= returned then
    if redis.call('HGET', returns, ARGV[i]) ~= text then return -2 end
  else
    local n = #codes + 1
    if number ~= returned + n then return -2 end
    fresh[n * 2 - 1], fresh[n * 2] = ARGV[i], text
    codes[n], restocked[n], lines[n] = string.match(text, '^(%S+) %S+ (%d) %S+ ([^\t]+)')
  end
end
if #codes == 0 then return returned end

local users = redis.call('HMGET', decisions, unpack(codes))
for i = 1, #users do
  if not users[i] then return -2 end
  users[i] = string.match(users[i], '^%S+ (%S+)')
end

-- Units that come back to the shelf, by item, and the items in order; how many units each user has no more, and the users in order.
local came, backs, fewer, named = {}, {}, {}, {}

local function giveBack(user, isRestocked, line)
  local item, units = string.match(line, '^([^@]+)@?(.*)$')
  local shelf = came[item]
  if isRestocked and not shelf then
    shelf = { n = 0, units = {} }
    came[item] = shelf
    backs[#backs + 1] = item
  end
  if not fewer[user] then
    fewer[user] = 0
    named[#named + 1] = user
  end
  for first, last in string.gmatch(units == '' and '0' or units, '(%d+)%-?(%d*)') do
    first = tonumber(first)
    last = tonumber(last) or first
    fewer[user] = fewer[user] + last - first + 1
    if isRestocked then
      shelf.n = shelf.n + last - first + 1
      for unit = first, last do shelf.units[unit] = true end
    end
  end
end

for i = 1, #codes do
  for line in string.gmatch(lines[i], '%S+') do giveBack(users[i], restocked[i] == '1', line) end
end
for i = 1, #backs do
  local left = tonumber(redis.call('HGET', items, backs[i]) or nil)
  if not left then return redis.call('HLEN', items) == state[7] and -2 or -1 end
  came[backs[i]].left = left
end

-- unpack() takes some 8,000 values at the most.
local PART = 4000
local function inParts(command, key, values)
  for from = 1, #values, PART do
    redis.call(command, key, unpack(values, from, math.min(from + PART - 1, #values)))
  end
end

-- Puts the units of an item on the shelf. Those that join the units below the lowest held one need no member in `free`, and take
-- members that join them along: so the set holds nothing of unique items, and empties again.
local function shelve(item, shelf)
  local spare = freeUnits > 0 and redis.call('ZLEXCOUNT', free, '[' .. item .. '@', '(' .. item .. 'A') or 0
  local below, gaps = shelf.left - spare, {}
  while true do
    if shelf.units[below] then
      shelf.units[below] = nil
    elseif spare > 0 and redis.call('ZREM', free, item .. '@' .. below) == 1 then
      spare, freeUnits = spare - 1, freeUnits - 1
    else
      break
    end
    below = below + 1
  end
  for unit in pairs(shelf.units) do
    gaps[#gaps + 1] = 0
    gaps[#gaps + 1] = item .. '@' .. unit
  end
  inParts('ZADD', free, gaps)
  freeUnits = freeUnits + #gaps / 2
end

local marks, words = {}, {}
for i = 1, #backs do
  local item = backs[i]
  local shelf = came[item]
  shelve(item, shelf)
  marks[i * 2 - 1], marks[i * 2] = item, shelf.left + shelf.n
  sold = sold - shelf.n
  if shelf.left == 0 then words[#words + 1] = '+' .. item end
end
inParts('HSET', items, marks)

local counts, nobodies = {}, {}
for i = 1, #named do
  local user = named[i]
  local holds = tonumber(redis.call('HGET', bought, user) or 0) - fewer[user]
  if holds > 0 then
    counts[#counts + 1] = user
    counts[#counts + 1] = holds
  else
    nobodies[#nobodies + 1] = user
  end
end
inParts('HSET', bought, counts)
if #nobodies > 0 then buyers = buyers - redis.call('HDEL', bought, unpack(nobodies)) end

redis.call('HSET', returns, unpack(fresh))
gone, changes, returned = gone - #words, changes + #words, returned + #codes
redis.call('HSET', sale, 'returned', returned, 'sold', sold, 'free', freeUnits, 'gone', gone, 'buyers', buyers, 'changes', changes)
if #words > 0 then
  local epoch = string.match(ARGV[1], '%d+$')
  redis.call(string.find(ARGV[2], '{', 1, true) and 'SPUBLISH' or 'PUBLISH', ARGV[2], string.format('%s %s %d %d %s', ARGV[3], epoch, changes, gone, table.concat(words, ' ')))
end
return returned
