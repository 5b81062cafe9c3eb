#!lua flags=allow-oom
-- Writes committed decisions during a rebuild, and takes away codes and carts that they have spent
-- (a Redis that came back with old data may still hold them).
--
-- KEYS[1] gate       string: must hold the token of this rebuild, with this dataset
-- KEYS[2] decisions  hash: code -> decision "decided_ms user …"
-- KEYS[3] codes      hash: code -> user
-- KEYS[4] carts      hash: user -> "code item item*3 … "
-- ARGV[1] token "loading:v1:epoch"
-- ARGV[2…] code, decision, …
--
-- Returns 1, or -1 when another rebuild has taken over.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
for i = 2, #ARGV, 2 do
  local code, user = ARGV[i], string.match(ARGV[i + 1], '^%S+ (%S+)')
  redis.call('HDEL', KEYS[3], code)
  local cart = redis.call('HGET', KEYS[4], user)
  if cart and string.match(cart, '^%S+') == code then redis.call('HDEL', KEYS[4], user) end
end
return 1
