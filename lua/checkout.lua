#!lua
-- Puts items into carts: decides a batch of checkouts of one sale. It reserves nothing.
--
-- KEYS[1] gate     string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale     hash: starts_ms, ends_ms, total, sold, limit, carts, paused
-- KEYS[3] items    hash: item -> 1 (unsold) | 0 (sold)
-- KEYS[4] carts    hash: user -> "code item item … " (each word followed by a space)
-- KEYS[5] codes    hash: code -> user
-- KEYS[6] bought   hash: user -> number of items bought
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] most carts that the sale may hold at a time
-- ARGV[3] operations: "user item code user item code …", the code being a fresh one
--
-- Returns one number for the whole batch: -1 fenced, -2 not-begun, -3 ended, -4 sold-out, -9 paused;
-- otherwise one text with three words per operation: status, code ('-' when there is none), lines in the cart.
--   status 1 added, 2 already-in-cart, -5 no-item, -6 item-sold, -7 limit, -8 too-many-carts

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local sale, items, carts, codes, bought = unpack(KEYS, 2)

local state = redis.call('HMGET', sale, 'starts_ms', 'ends_ms', 'total', 'sold', 'limit', 'carts', 'paused')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not state[1] then return -1 end
if now < tonumber(state[1]) then return -2 end
if now >= tonumber(state[2]) then return -3 end
if state[7] == '1' then return -9 end
if tonumber(state[4]) >= tonumber(state[3]) then return -4 end
local limit = tonumber(state[5])
local held = tonumber(state[6])
local room = tonumber(ARGV[2]) - held

local users, ids, fresh, n = {}, {}, {}, 0
for user, item, code in string.gmatch(ARGV[3], '(%S+) (%S+) (%S+)') do
  n = n + 1
  users[n], ids[n], fresh[n] = user, item, code
end
local stock = redis.call('HMGET', items, unpack(ids))
local stored = redis.call('HMGET', carts, unpack(users))
local counts = redis.call('HMGET', bought, unpack(users))

local cartOf, changed, newCodes, answers = {}, {}, {}, {}
local function answer(i, status, code, lines)
  answers[i * 3 - 2], answers[i * 3 - 1], answers[i * 3] = status, code, lines
end

for i = 1, n do
  local user, item = users[i], ids[i]
  local cart = cartOf[user] or stored[i]
  local lines = 0
  if cart then
    local _, words = string.gsub(cart, ' ', '')
    lines = words - 1
  end
  if not stock[i] then
    answer(i, -5, '-', lines)
  elseif stock[i] ~= '1' then
    answer(i, -6, '-', lines)
  elseif cart and string.find(cart, ' ' .. item .. ' ', 1, true) then
    answer(i, 2, string.match(cart, '^%S+'), lines)
  elseif lines + (tonumber(counts[i]) or 0) >= limit then
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
    cart = cart .. item .. ' '
    cartOf[user] = cart
    changed[#changed + 1] = user
    changed[#changed + 1] = cart
    answer(i, 1, string.match(cart, '^%S+'), lines + 1)
  end
end

if #changed > 0 then redis.call('HSET', carts, unpack(changed)) end
if #newCodes > 0 then
  redis.call('HSET', codes, unpack(newCodes))
  redis.call('HSET', sale, 'carts', held + #newCodes / 2)
end
return table.concat(answers, ' ')
