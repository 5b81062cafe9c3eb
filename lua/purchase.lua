#!lua flags=allow-oom
-- Buys carts: decides a batch of checkout codes of one sale, each once and for ever.
-- A decision, its effect and its outbox entry are one atomic step. Each hash is asked once for the whole batch.
--
-- KEYS[1] gate       string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale       hash: paused, starts_ms, ends_ms, sold, limit; and how much the other keys hold: carts, buyers, decisions, entries
-- KEYS[3] items      hash: item -> 1 (unsold) | 0 (sold)
-- KEYS[4] names      hash: item -> name
-- KEYS[5] carts      hash: user -> "code item item … "
-- KEYS[6] codes      hash: code -> user
-- KEYS[7] bought     hash: user -> number of items bought
-- KEYS[8] decisions  hash: code -> decision "decided_ms user +bought -lost …", lines in the order added
-- KEYS[9] outbox     stream: one entry per batch, its fields are "epoch" -> epoch and then code -> decision
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] channel that hears "sale epoch version item item …"; the version is the number sold after this batch
-- ARGV[3] sale id
-- ARGV[4] codes, each once, with spaces between them
--
-- Returns -1 (one number) when fenced; otherwise three values: the id of the outbox entry ('' when nothing was
-- decided); one text with a line "status decision" per code, in their order; the names of all lines of all these
-- decisions, one after the other.
--   status 1 decided, 2 decided-before; and without a decision -2 not-begun, -3 ended, -5 no-code, -7 limit, -9 paused

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local sale, items, names, carts, codes, bought, decisions, outbox = unpack(KEYS, 2)

local state = redis.call('HMGET', sale, 'starts_ms', 'ends_ms', 'sold', 'limit', 'carts', 'buyers', 'decisions', 'entries', 'paused')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not state[1] then return -1 end
local closed = (now < tonumber(state[1]) and -2) or (now >= tonumber(state[2]) and -3) or (state[9] == '1' and -9) or nil
local sold, limit = tonumber(state[3]), tonumber(state[4])
local decidedMs = string.format('%.0f', now)
local epoch = string.match(ARGV[1], '%d+$')

-- unpack() takes some 8,000 values at the most, and a batch of full carts has more lines.
local PART = 4000
local function read(hash, fields)
  if #fields == 0 then return {} end
  if #fields <= PART then return redis.call('HMGET', hash, unpack(fields)) end
  local values = {}
  for from = 1, #fields, PART do
    local part = redis.call('HMGET', hash, unpack(fields, from, math.min(from + PART - 1, #fields)))
    for i = 1, #part do values[from + i - 1] = part[i] end
  end
  return values
end
local function write(hash, pairs)
  for from = 1, #pairs, PART do
    redis.call('HSET', hash, unpack(pairs, from, math.min(from + PART - 1, #pairs)))
  end
end

local posted = {}
for code in string.gmatch(ARGV[4], '%S+') do posted[#posted + 1] = code end
local decided = redis.call('HMGET', decisions, unpack(posted))
local owners = redis.call('HMGET', codes, unpack(posted))

-- The users of the valid codes, their carts, and the lines of all these carts in one list.
local users, userOf = {}, {}
for i = 1, #posted do
  if owners[i] and not decided[i] and not closed then
    users[#users + 1] = owners[i]
    userOf[i] = #users
  end
end
local stored, counts = read(carts, users), read(bought, users)
local lines, lastLine = {}, { [0] = 0 }
for u = 1, #users do
  for item in string.gmatch(stored[u] or '', ' (%S+)') do lines[#lines + 1] = item end
  lastLine[u] = #lines
end
local stock = read(items, lines)

local soldItems, marks, newCounts, newBuyers = {}, {}, {}, 0
local taken = {}

-- Sells the unsold lines of a user's cart while there is room. Returns the decision.
local function decide(u, held)
  local words, n = { decidedMs, users[u] }, 0
  for i = lastLine[u - 1] + 1, lastLine[u] do
    local item = lines[i]
    local buys = stock[i] == '1' and not taken[item] and held + n < limit
    if buys then
      n = n + 1
      taken[item] = true
      soldItems[#soldItems + 1] = item
      marks[#marks + 1] = item
      marks[#marks + 1] = '0'
    end
    words[#words + 1] = (buys and '+' or '-') .. item
  end
  if n > 0 then
    if held == 0 then newBuyers = newBuyers + 1 end
    newCounts[#newCounts + 1] = users[u]
    newCounts[#newCounts + 1] = held + n
  end
  return table.concat(words, ' ')
end

local fresh, spentCodes, spentCarts, answers, named = {}, {}, {}, {}, {}
local function answer(status, decision)
  answers[#answers + 1] = status .. ' ' .. decision
  -- A user's name may begin with a sign too: lines begin behind it.
  local marked = string.match(decision, '^%S+ %S+ (.*)') or ''
  for item in string.gmatch(marked, '[+-](%S+)') do named[#named + 1] = item end
end

for i = 1, #posted do
  local code, u = posted[i], userOf[i]
  if decided[i] then
    answer(2, decided[i])
  elseif not owners[i] then
    answer(-5, '')
  elseif closed then
    answer(closed, '')
  elseif not stored[u] or string.match(stored[u], '^%S+') ~= code then
    answer(-5, '')
  elseif (tonumber(counts[u]) or 0) >= limit then
    answer(-7, '')
  else
    local decision = decide(u, tonumber(counts[u]) or 0)
    fresh[#fresh + 1] = code
    fresh[#fresh + 1] = decision
    spentCodes[#spentCodes + 1] = code
    spentCarts[#spentCarts + 1] = users[u]
    answer(1, decision)
  end
end

local entry = ''
if #fresh > 0 then
  redis.call('HSET', decisions, unpack(fresh))
  redis.call('HDEL', codes, unpack(spentCodes))
  redis.call('HDEL', carts, unpack(spentCarts))
  write(bought, newCounts)
  write(items, marks)
  entry = redis.call('XADD', outbox, '*', 'epoch', epoch, unpack(fresh))
  redis.call('HSET', sale, 'sold', sold + #soldItems, 'carts', state[5] - #spentCarts, 'buyers', state[6] + newBuyers,
    'decisions', state[7] + #spentCodes, 'entries', state[8] + 1)
end
if #soldItems > 0 then
  redis.call('PUBLISH', ARGV[2], string.format('%s %s %d %s',
    ARGV[3], epoch, sold + #soldItems, table.concat(soldItems, ' ')))
end
return { entry, table.concat(answers, '\n'), read(names, named) }
