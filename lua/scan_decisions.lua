#!lua flags=allow-oom
-- Reads a part of a sale's decisions, or of its returns, as long as the gate stays what it was: another Redis that a proxy slips under the
-- connection has decisions of its own, which may be void.
--
-- KEYS[1] gate       string: "v1:epoch:run_id:master_replid", the epoch and the dataset that are let in; during a rebuild its token
-- KEYS[2] decisions  hash: code -> decision; or the returns, number -> return
-- ARGV[1] fence "v1:epoch" or token "loading:v1:epoch"
-- ARGV[2] cursor of the part, 0 for the first
-- ARGV[3] about so many
--
-- Returns the next cursor (0 after the last part) and code, decision, … (or number, return, …); a field may come twice. -1 when fenced.

local info = redis.call('INFO', 'server', 'replication')
local function id(name) local _, at = string.find(info, name, 1, true) return string.sub(info, at + 1, at + 40) end
local here = id('\nrun_id:') .. ':' .. id('\nmaster_replid:')
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ':' .. here then return -1 end

return redis.call('HSCAN', KEYS[2], ARGV[2], 'COUNT', ARGV[3])
