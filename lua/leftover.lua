#!lua flags=allow-oom
-- Reads outbox entries that their worker should have committed by now, together with the gate,
-- so that they can only be committed under the epoch they were read in.
--
-- KEYS[1] gate    string: the fence that is let in
-- KEYS[2] outbox  stream
-- ARGV[1] least age in ms; '' for every entry, whatever its time
-- ARGV[2] most entries
--
-- Returns the gate ('' when there is none) and the entries as XRANGE returns them: {id, {'epoch', epoch, code, decision, …}}.

local time = redis.call('TIME')
local newest = '+'
if ARGV[1] ~= '' then
  newest = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1]))
end
return { redis.call('GET', KEYS[1]) or '', redis.call('XRANGE', KEYS[2], '-', newest, 'COUNT', ARGV[2]) }
