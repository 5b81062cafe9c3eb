#!lua
-- Buys carts: decides a batch of checkout codes of one sale, each once and for ever.
-- A decision, its effect and its outbox entry are one atomic step.
--
-- KEYS[1] gate       string: the fence that is let in
-- KEYS[2] sale       hash: starts_ms, ends_ms, total, sold, limit
-- KEYS[3] items      hash: item -> 1 (unsold) | 0 (sold)
-- KEYS[4] names      hash: item -> name
-- KEYS[5] carts      hash: user -> "code item item … "
-- KEYS[6] codes      hash: code -> user
-- KEYS[7] bought     hash: user -> number of items bought
-- KEYS[8] decisions  hash: code -> decision "decided_ms user +bought -lost …", lines in the order added
-- KEYS[9] outbox     stream: one entry per batch, its fields are "epoch" -> epoch and then code -> decision
-- ARGV[1] fence "epoch:run_id"
-- ARGV[2] channel that hears "sale epoch version item item …"; the version is the number sold after this batch
-- ARGV[3] sale id
-- ARGV[4…] codes, each once
--
-- Returns -1 (one number) when fenced; otherwise the id of the outbox entry ('' when nothing
-- was decided) and then three values per code: status, decision ('' when there is none), names of its lines.
--   status 1 decided now, 2 decided before, -2 not begun, -3 ended, -5 no such code, -7 limit reached

local gate, sale, items, names, carts, codes, bought, decisions, outbox = unpack(KEYS)
if redis.call('GET', gate) ~= ARGV[1] then return -1 end

local state = redis.call('HMGET', sale, 'starts_ms', 'ends_ms', 'sold', 'limit')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not state[1] then return -1 end
local closed = (now < tonumber(state[1]) and -2) or (now >= tonumber(state[2]) and -3) or nil
local sold, limit = tonumber(state[3]), tonumber(state[4])

local epoch = string.match(ARGV[1], '^%d+')
local posted = {}
for i = 4, #ARGV do posted[i - 3] = ARGV[i] end
local decided = redis.call('HMGET', decisions, unpack(posted))
local owners = redis.call('HMGET', codes, unpack(posted))

-- Item ids of a decision's or cart's lines; both follow their first words.
local function wordsOf(text, from)
  local words = {}
  for word in string.gmatch(text, '%S+') do words[#words + 1] = word end
  return { unpack(words, from) }
end

local function namesOf(decision)
  local ids = wordsOf(decision, 3)
  for i = 1, #ids do ids[i] = string.sub(ids[i], 2) end
  return redis.call('HMGET', names, unpack(ids))
end

local fresh, soldItems, answers = {}, {}, { '' }
local function answer(status, decision, lineNames)
  local n = #answers
  answers[n + 1], answers[n + 2], answers[n + 3] = status, decision, lineNames
end

-- Decides one cart: sells what is unsold while the user has room. Returns the decision, or nil at the limit.
local function decide(code, user, cart)
  local lines = wordsOf(cart, 2)
  local stock = redis.call('HMGET', items, unpack(lines))
  local room = limit - (tonumber(redis.call('HGET', bought, user)) or 0)
  if room <= 0 then return nil end
  local words, marks = { now, user }, {}
  for i = 1, #lines do
    local buys = stock[i] == '1' and room > 0
    if buys then
      room = room - 1
      soldItems[#soldItems + 1] = lines[i]
      marks[#marks + 1] = lines[i]
      marks[#marks + 1] = '0'
    end
    words[#words + 1] = (buys and '+' or '-') .. lines[i]
  end
  if #marks > 0 then
    redis.call('HSET', items, unpack(marks))
    redis.call('HINCRBY', bought, user, #marks / 2)
  end
  redis.call('HDEL', carts, user)
  redis.call('HDEL', codes, code)
  return table.concat(words, ' ')
end

for i = 1, #posted do
  local code, user = posted[i], owners[i]
  if decided[i] then
    answer(2, decided[i], namesOf(decided[i]))
  elseif not user then
    answer(-5, '', {})
  elseif closed then
    answer(closed, '', {})
  else
    local cart = redis.call('HGET', carts, user)
    local decision = cart and decide(code, user, cart)
    if not cart then
      answer(-5, '', {})
    elseif not decision then
      answer(-7, '', {})
    else
      fresh[#fresh + 1] = code
      fresh[#fresh + 1] = decision
      answer(1, decision, namesOf(decision))
    end
  end
end

if #fresh > 0 then
  redis.call('HSET', decisions, unpack(fresh))
  answers[1] = redis.call('XADD', outbox, '*', 'epoch', epoch, unpack(fresh))
end
if #soldItems > 0 then
  redis.call('HINCRBY', sale, 'sold', #soldItems)
  redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. epoch .. ' ' .. (sold + #soldItems) .. ' ' .. table.concat(soldItems, ' '))
end
return answers
