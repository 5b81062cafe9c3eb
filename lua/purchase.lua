#!lua flags=allow-oom
-- Buys carts: decides a batch of checkout codes of one sale, each once and for ever.
-- A decision, its effect and its outbox entry are one atomic step. Each hash is asked once for the whole batch.
--
-- KEYS[1] gate       string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale       hash: paused, starts_ms, ends_ms, sold, limit, items; and how much the other keys hold: carts, buyers, decisions, entries, free;
--                    gone, the number of items of which nothing is left; changes, how often an item has come to that, or back
-- KEYS[3] items      hash: item -> units left
-- KEYS[4] names      hash: item -> name, and behind a tab its price; see src/store/label.ts
-- KEYS[5] carts      hash: user -> "code item item*3 … ", the quantity where it is not 1
-- KEYS[6] codes      hash: code -> user
-- KEYS[7] bought     hash: user -> number of units bought
-- KEYS[8] decisions  hash: code -> decision "decided_ms user +bought -lost …", lines in the order added; see src/store/decision.ts
-- KEYS[9] outbox     stream: one entry per batch, its fields are "epoch" -> epoch and then code -> decision
-- KEYS[10] free      sorted set: "item@unit", units for sale that have a number above one that is held
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] channel that hears "sale epoch changes gone item item …": of these items nothing is left; both counts as they are after this batch
-- ARGV[3] sale id
-- ARGV[4] codes, each once, with spaces between them
--
-- Returns -1 (one number) when fenced, or when something of the sale is lost; otherwise three values: the id of the outbox entry ('' when nothing was
-- decided); one text with a line "status decision" per code, in their order; the names of all lines of all these
-- decisions, one after the other.
--   status 1 decided, 2 decided-before; and without a decision -2 not-begun, -3 ended, -5 no-code, -7 limit, -9 paused

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local sale, items, names, carts, codes, bought, decisions, outbox, free = unpack(KEYS, 2)

local state = redis.call('HMGET', sale, 'starts_ms', 'ends_ms', 'sold', 'limit', 'carts', 'buyers', 'decisions', 'entries', 'gone', 'free', 'paused', 'items', 'changes')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not state[1] then return -1 end
local closed = (now < tonumber(state[1]) and -2) or (now >= tonumber(state[2]) and -3) or (state[11] == '1' and -9) or nil
local sold, limit, gone, freeUnits = tonumber(state[3]), tonumber(state[4]), tonumber(state[9]), tonumber(state[10])
-- Without what users have bought nobody has a limit; without decisions, or free units, something would be decided or sold twice.
if redis.call('HLEN', bought) ~= tonumber(state[6]) or redis.call('HLEN', decisions) ~= tonumber(state[7]) or redis.call('ZCARD', free) ~= freeUnits then return -1 end
-- A release that knows no returns counted no changes.
local changes = tonumber(state[13] or 0)
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

-- The users of the valid codes, their carts, and the lines of all these carts in one list, with the quantities that are not 1.
local users, userOf = {}, {}
for i = 1, #posted do
  if owners[i] and not decided[i] and not closed then
    users[#users + 1] = owners[i]
    userOf[i] = #users
  end
end
local stored, counts = read(carts, users), read(bought, users)
local lines, wanted, lastLine = {}, {}, { [0] = 0 }
for u = 1, #users do
  local cart = stored[u] or ''
  if not string.find(cart, '*', 1, true) then
    for item in string.gmatch(cart, ' (%S+)') do lines[#lines + 1] = item end
  else
    for item, quantity in string.gmatch(cart, ' ([^ *]+)%*?(%d*)') do
      lines[#lines + 1] = item
      wanted[#lines] = tonumber(quantity)
    end
  end
  lastLine[u] = #lines
end
local stock = read(items, lines)
-- An item that is missing is none of the sale's, and nothing is left of it; unless items are lost, which says nothing of what is left.
for i = 1, #lines do
  if not stock[i] then
    if redis.call('HLEN', items) ~= tonumber(state[12]) then return -1 end
    stock[i] = '0'
  end
end

local newCounts, newBuyers, soldUnits = {}, 0, 0
-- Units left of the items that this batch sells, these items in order, and which free units they take.
local left, touched, taken = {}, {}, {}
local spare, skipped = {}, {}

-- Takes free units of an item, so many at most, into `words`. Returns how many are still missing.
local function takeFree(item, quantity, words)
  local from, to = '[' .. item .. '@', '(' .. item .. 'A'
  spare[item] = spare[item] or redis.call('ZLEXCOUNT', free, from, to)
  local n = math.min(quantity, spare[item])
  if n == 0 then return quantity end
  local members = redis.call('ZRANGEBYLEX', free, from, to, 'LIMIT', skipped[item] or 0, n)
  skipped[item], spare[item] = (skipped[item] or 0) + n, spare[item] - n
  for i = 1, n do
    taken[#taken + 1] = members[i]
    words[i] = string.sub(members[i], #item + 2)
  end
  return quantity - n
end

-- Hands out units of an item: free ones first, then from the highest downwards, so that what is left below is the number left.
-- Returns what a line says of them: nothing when it is unit 0 alone.
local function hand(item, has, quantity)
  if has == 1 and freeUnits == 0 then return '' end
  local words, missing = {}, quantity
  if freeUnits > 0 then missing = takeFree(item, quantity, words) end
  if missing > 0 then
    local last, first = has - (quantity - missing) - 1, has - quantity
    words[#words + 1] = first == last and tostring(first) or first .. '-' .. last
  end
  local units = table.concat(words, ',')
  return units == '0' and '' or '@' .. units
end

-- Sells the lines of a user's cart, each whole or not at all, while there is room. Returns the decision.
local function decide(u, held)
  local words, n = { decidedMs, users[u] }, 0
  for i = lastLine[u - 1] + 1, lastLine[u] do
    local item, quantity = lines[i], wanted[i] or 1
    local seen = left[item]
    local has = seen or tonumber(stock[i])
    if has >= quantity and held + n + quantity <= limit then
      n = n + quantity
      if not seen then touched[#touched + 1] = item end
      left[item] = has - quantity
      words[#words + 1] = '+' .. item .. hand(item, has, quantity)
    else
      words[#words + 1] = '-' .. item .. (quantity == 1 and '' or '*' .. quantity)
    end
  end
  if n > 0 then
    soldUnits = soldUnits + n
    if held == 0 then newBuyers = newBuyers + 1 end
    newCounts[#newCounts + 1] = users[u]
    newCounts[#newCounts + 1] = held + n
  end
  return table.concat(words, ' ')
end

local fresh, spentCodes, spentCarts, answers, named = {}, {}, {}, {}, {}
local function answer(status, decision) answers[#answers + 1] = status .. ' ' .. decision end

-- Names the items of a decision made before. A user's name may begin with a sign too: lines begin behind it.
local function nameLines(decision)
  local marked = string.match(decision, '^%S+ %S+( .*)') or ''
  for item in string.gmatch(marked, ' [+-]([^ @*]+)') do named[#named + 1] = item end
end

for i = 1, #posted do
  local code, u = posted[i], userOf[i]
  if decided[i] then
    answer(2, decided[i])
    nameLines(decided[i])
  elseif not owners[i] then
    answer(-5, '')
  elseif closed then
    answer(closed, '')
  elseif not stored[u] or string.match(stored[u], '^%S+') ~= code or lastLine[u] == lastLine[u - 1] then
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
    for line = lastLine[u - 1] + 1, lastLine[u] do named[#named + 1] = lines[line] end
  end
end

local marks, emptied = {}, {}
for i = 1, #touched do
  local item = touched[i]
  marks[i * 2 - 1], marks[i * 2] = item, left[item]
  if left[item] == 0 then emptied[#emptied + 1] = item end
end

local entry = ''
if #fresh > 0 then
  redis.call('HSET', decisions, unpack(fresh))
  redis.call('HDEL', codes, unpack(spentCodes))
  redis.call('HDEL', carts, unpack(spentCarts))
  write(bought, newCounts)
  write(items, marks)
  for from = 1, #taken, PART do redis.call('ZREM', free, unpack(taken, from, math.min(from + PART - 1, #taken))) end
  entry = redis.call('XADD', outbox, '*', 'epoch', epoch, unpack(fresh))
  redis.call('HSET', sale, 'sold', sold + soldUnits, 'carts', state[5] - #spentCarts, 'buyers', state[6] + newBuyers,
    'decisions', state[7] + #spentCodes, 'entries', state[8] + 1, 'gone', gone + #emptied, 'free', freeUnits - #taken,
    'changes', changes + #emptied)
end
if #emptied > 0 then
  redis.call(string.find(ARGV[2], '{', 1, true) and 'SPUBLISH' or 'PUBLISH', ARGV[2], string.format('%s %s %d %d %s',
    ARGV[3], epoch, changes + #emptied, gone + #emptied, table.concat(emptied, ' ')))
end
return { entry, table.concat(answers, '\n'), read(names, named) }
