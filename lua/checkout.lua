#!lua
-- Puts items into carts: decides a batch of checkouts of one sale. It reserves nothing.
--
-- KEYS[1] gate     string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale     hash: starts_ms, ends_ms, total, sold, limit, carts, paused, items
-- KEYS[3] items    hash: item -> units left
-- KEYS[4] carts    hash: user -> "code item item*3 … " (each word followed by a space; the quantity where it is not 1)
-- KEYS[5] codes    hash: code -> user
-- KEYS[6] bought   hash: user -> number of units bought
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] most carts that the sale may hold at a time
-- ARGV[3] operations: "user item code user item*3 code …", the code being a fresh one; a quantity that is given sets the line's,
--         and 0 takes the line out
--
-- Returns one number for the whole batch: -1 fenced, or items are lost, -2 not-begun, -3 ended, -4 sold-out, -9 paused;
-- otherwise one text with three words per operation: status, code ('-' when there is none), lines in the cart.
--   status 1 added, 2 already-in-cart, -4 sold-out, -5 no-item, -6 item-sold, -7 limit, -8 too-many-carts

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local sale, items, carts, codes, bought = unpack(KEYS, 2)

local state = redis.call('HMGET', sale, 'starts_ms', 'ends_ms', 'total', 'sold', 'limit', 'carts', 'paused', 'items')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not state[1] then return -1 end
if now < tonumber(state[1]) then return -2 end
if now >= tonumber(state[2]) then return -3 end
if state[7] == '1' then return -9 end
local soldOut = tonumber(state[4]) >= tonumber(state[3])
-- A line can be taken out whatever is left.
if soldOut and not string.find(ARGV[3], '*0 ', 1, true) then return -4 end
local limit = tonumber(state[5])
local held = tonumber(state[6])
local room = tonumber(ARGV[2]) - held
-- Lines that are sold out do not count towards the limit, and a cart must not grow for ever.
local LINES_MAX = 200

local users, ids, asked, fresh, n = {}, {}, {}, {}, 0
for user, item, code in string.gmatch(ARGV[3], '(%S+) (%S+) (%S+)') do
  n = n + 1
  users[n], ids[n], fresh[n] = user, item, code
end
if string.find(ARGV[3], '*', 1, true) then
  for i = 1, n do
    local item, quantity = string.match(ids[i], '^(.*)%*(%d+)$')
    if item then ids[i], asked[i] = item, tonumber(quantity) end
  end
end
local stock = redis.call('HMGET', items, unpack(ids))
-- An item that is missing is none of the sale's, unless items are lost.
for i = 1, n do
  if not stock[i] then
    if redis.call('HLEN', items) ~= tonumber(state[8]) then return -1 end
    break
  end
end
local stored = redis.call('HMGET', carts, unpack(users))
local counts = redis.call('HMGET', bought, unpack(users))

local cartOf, changed, newCodes, answers = {}, {}, {}, {}
local function answer(i, status, code, lines)
  answers[i * 3 - 2], answers[i * 3 - 1], answers[i * 3] = status, code, lines
end

local function linesOf(cart)
  local _, words = string.gsub(cart, ' ', '')
  return words - 1
end

-- Where the line of an item begins, where it ends, and its quantity; nothing when the cart has none.
local function lineOf(cart, item)
  local from = string.find(cart, ' ' .. item .. ' ', 1, true)
  if from then return from + 1, from + #item, 1 end
  -- Most carts have no quantity in them.
  if not string.find(cart, '*', 1, true) then return nil end
  from = string.find(cart, ' ' .. item .. '*', 1, true)
  if not from then return nil end
  local quantity = string.match(cart, '^%d+', from + #item + 2)
  return from + 1, from + #item + 1 + #quantity, tonumber(quantity)
end

-- The units of a cart's lines that could be bought now, but for the item's own. Asked only when the plain count is too high.
local function liveUnits(cart, but)
  local names, quantities, units = {}, {}, 0
  for item, quantity in string.gmatch(cart, ' ([^ *]+)%*?(%d*)') do
    if item ~= but then
      names[#names + 1] = item
      quantities[#quantities + 1] = tonumber(quantity) or 1
    end
  end
  if #names == 0 then return 0 end
  local left = redis.call('HMGET', items, unpack(names))
  for i = 1, #names do
    if tonumber(left[i] or 0) >= quantities[i] then units = units + quantities[i] end
  end
  return units
end

-- Whether so many units of an item fit under the limit, beside the cart's other lines and what was bought.
local function fits(cart, lines, item, quantity, count)
  -- Without a quantity in it, a cart has one unit per line.
  if quantity == 1 and lines + count < limit and not (cart and string.find(cart, '*', 1, true)) then return true end
  if quantity + count > limit then return false end
  return not cart or liveUnits(cart, item) + quantity + count <= limit
end

-- Sets the quantity of an item's line. Returns the cart and its lines.
local function set(cart, lines, item, quantity, known)
  local word = quantity == 1 and item or item .. '*' .. quantity
  if not known then
    if quantity == 0 then return cart, lines end
    return cart .. word .. ' ', lines + 1
  end
  local from, to = lineOf(cart, item)
  if quantity > 0 then return string.sub(cart, 1, from - 1) .. word .. string.sub(cart, to + 1), lines end
  return string.sub(cart, 1, from - 1) .. string.sub(cart, to + 2), lines - 1
end

for i = 1, n do
  local user, item, quantity = users[i], ids[i], asked[i] or 1
  local cart = cartOf[user] or stored[i]
  local lines = cart and linesOf(cart) or 0
  local known = cart and lineOf(cart, item)
  if soldOut and quantity > 0 then
    answer(i, -4, '-', lines)
  elseif not stock[i] then
    answer(i, -5, '-', lines)
  elseif tonumber(stock[i]) < quantity then
    answer(i, -6, '-', lines)
  elseif known and not asked[i] then
    answer(i, 2, string.match(cart, '^%S+'), lines)
  elseif quantity > 0 and not fits(cart, lines, item, quantity, tonumber(counts[i]) or 0) then
    answer(i, -7, '-', lines)
  elseif quantity > 0 and not known and lines >= LINES_MAX then
    answer(i, -7, '-', lines)
  elseif not cart and room <= 0 then
    answer(i, -8, '-', lines)
  else
    if not cart then
      room = room - 1
      local code = fresh[i]
      cart = code .. ' '
      newCodes[#newCodes + 1] = code
      newCodes[#newCodes + 1] = user
    end
    cart, lines = set(cart, lines, item, quantity, known)
    cartOf[user] = cart
    changed[#changed + 1] = user
    changed[#changed + 1] = cart
    answer(i, 1, string.match(cart, '^%S+'), lines)
  end
end

if #changed > 0 then redis.call('HSET', carts, unpack(changed)) end
if #newCodes > 0 then
  redis.call('HSET', codes, unpack(newCodes))
  redis.call('HSET', sale, 'carts', held + #newCodes / 2)
end
return table.concat(answers, ' ')
