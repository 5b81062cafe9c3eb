#!lua flags=allow-oom
-- Ends a rebuild: checks that the whole catalogue is there, writes the sale and opens the gate, last of all.
-- Carts and codes without the other are of no use and go: one of these keys was lost.
--
-- KEYS[1] gate       string: must hold the token of this rebuild, with this dataset
-- KEYS[2] sale       hash
-- KEYS[3] items      hash
-- KEYS[4] carts      hash
-- KEYS[5] codes      hash
-- KEYS[6] bought     hash
-- KEYS[7] decisions  hash
-- KEYS[8] outbox     stream
-- KEYS[9] free       sorted set
-- KEYS[10] returns   hash
-- ARGV[1] token "loading:v1:epoch"
-- ARGV[2] fence "v1:epoch" that the gate lets in from now on
-- ARGV[3] starts_ms, ARGV[4] ends_ms, ARGV[5] total units, ARGV[6] sold units, ARGV[7] limit
-- ARGV[8] items, ARGV[9] gone: those of which nothing is left
-- ARGV[10] version of these facts, ARGV[11] paused: 1 or 0
--
-- Returns 1; -1 when another rebuild has taken over; -2 when items are missing.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

local sale, items, carts, codes, bought, decisions, outbox, free, returns = unpack(KEYS, 2)
if redis.call('HLEN', items) ~= tonumber(ARGV[8]) then return -2 end
if redis.call('HLEN', carts) ~= redis.call('HLEN', codes) then redis.call('UNLINK', carts, codes) end
redis.call('HSET', sale,
  'epoch', string.match(ARGV[2], '%d+$'), 'starts_ms', ARGV[3], 'ends_ms', ARGV[4], 'total', ARGV[5], 'sold', ARGV[6],
  'limit', ARGV[7], 'items', ARGV[8], 'gone', ARGV[9], 'version', ARGV[10], 'paused', ARGV[11], 'changes', ARGV[9],
  'free', redis.call('ZCARD', free), 'carts', redis.call('HLEN', carts), 'buyers', redis.call('HLEN', bought),
  'decisions', redis.call('HLEN', decisions), 'entries', redis.call('XLEN', outbox),
  'returned', redis.call('HLEN', returns))
redis.call('SET', KEYS[1], ARGV[2] .. ':' .. here)
return 1
