#!lua
-- Gives buyers their places in a sale's queue: decides a batch. A buyer who has one hears of it again, unless his turn is over.
--
-- KEYS[1] queue   hash: dataset, starts, ends, opens, pass, drawn, begun, joined, later, most, tail
-- KEYS[2] places  hash: lot of a buyer -> number among the later comers, 0 of one who is drawn
-- ARGV[1] most buyers
-- ARGV[2] operations: "lot fraction lot fraction …", the fraction being where among the drawn ones the buyer stands
--
-- Returns one number for the whole batch: -1 fenced, -2 not-open, -3 ended; otherwise one text: the last number given to a later
-- comer, then one word per operation: 0 for one who is drawn, n for the n-th later comer, or a status.
--   status -4 full, -5 unreserved

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
local queue, places = unpack(KEYS)

local FIELDS = { 'dataset', 'starts', 'ends', 'opens', 'pass', 'drawn', 'begun', 'joined', 'later', 'most', 'tail' }
local q = {}
for i, value in ipairs(redis.call('HMGET', queue, unpack(FIELDS))) do q[FIELDS[i]] = value end
if q.dataset ~= here or not q.starts then return -1 end
local drawn = q.drawn and tonumber(q.drawn)
for _, name in ipairs(FIELDS) do q[name] = tonumber(q[name] or 0) end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now < q.opens then return -2 end
if now >= q.ends then return -3 end
local isEarly = now < q.starts and q.begun == 0 and not drawn

local lots, fractions, n = {}, {}, 0
for lot, fraction in string.gmatch(ARGV[2], '(%S+) (%S+)') do
  n = n + 1
  lots[n], fractions[n] = lot, tonumber(fraction)
end
local known = redis.call('HMGET', places, unpack(lots))
local room = tonumber(ARGV[1]) - redis.call('HLEN', places)

-- Whether the turn of a place is over: then its buyer queues anew.
local function isOver(number, fraction)
  if not drawn or q.pass == 0 then return false end
  return (number == 0 and fraction * drawn or drawn + number - 1) < q.tail
end

local given, added, answers = {}, {}, {}
for i = 1, n do
  local lot = lots[i]
  local number = given[lot] or tonumber(known[i])
  if number and not isOver(number, fractions[i]) then
    answers[i] = number
  elseif not number and room <= 0 then
    answers[i] = -4
  elseif not isEarly and q.later >= q.most then
    answers[i] = -5
  else
    if not number then room = room - 1 end
    if isEarly then
      q.joined = q.joined + 1
      number = 0
    else
      q.later = q.later + 1
      number = q.later
    end
    given[lot] = number
    added[#added + 1] = lot
    added[#added + 1] = number
    answers[i] = number
  end
end

if not isEarly and q.begun == 0 and now >= q.starts then redis.call('HSET', queue, 'begun', 1) end
if #added > 0 then
  redis.call('HSET', places, unpack(added))
  redis.call('HSET', queue, 'joined', q.joined, 'later', q.later)
end
return q.later .. ' ' .. table.concat(answers, ' ')
