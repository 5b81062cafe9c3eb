#!lua flags=allow-oom
-- Tells whether a sale can be sold: its gate is open for this epoch and dataset, and every key holds as much as the
-- sale's hash counts.
--
-- KEYS[1] gate       string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in
-- KEYS[2] sale       hash: total, items, carts, buyers, decisions, entries, free, returned
-- KEYS[3] items      hash: item -> units left
-- KEYS[4] names      hash: item -> name, and behind a tab its price; see src/store/label.ts
-- KEYS[5] carts      hash: user -> "code item item*3 … "
-- KEYS[6] codes      hash: code -> user
-- KEYS[7] bought     hash: user -> number of units bought
-- KEYS[8] decisions  hash: code -> decision
-- KEYS[9] outbox     stream
-- KEYS[10] free      sorted set: "item@unit"
-- KEYS[11] returns   hash: number -> return
-- ARGV[1] fence "v1:epoch"
-- ARGV[2] units of the sale
--
-- Returns 1; -1 when its gate is shut; -2 when something is missing.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local sale, items, names, carts, codes, bought, decisions, outbox, free, returns = unpack(KEYS, 2)
local state = redis.call('HMGET', sale, 'total', 'items', 'carts', 'buyers', 'decisions', 'entries', 'free', 'returned')
for i = 1, #state do state[i] = tonumber(state[i] or -1) end
local total, itemsHeld, cartsHeld, buyers, decided, entries, freeUnits, returned = unpack(state)
local held = {
  [items] = itemsHeld, [names] = itemsHeld, [carts] = cartsHeld, [codes] = cartsHeld, [bought] = buyers, [decisions] = decided,
  [returns] = returned,
}
for hash, count in pairs(held) do
  if redis.call('HLEN', hash) ~= count then return -2 end
end
if total ~= tonumber(ARGV[2]) or redis.call('XLEN', outbox) ~= entries then return -2 end
if redis.call('ZCARD', free) ~= freeUnits then return -2 end
return 1
