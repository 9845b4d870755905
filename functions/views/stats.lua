-- How one shard stands, from its counters: no key and no field is scanned. track.lua and open.lua keep them.
-- KEYS: epoch, pending, syncing, refused, refusing, parked, stats, registered. ARGV: the day's start in milliseconds.
-- Answers the epoch; contents pending, being moved, and moved aside; fields of refusals; pending views (-1: not counted);
-- since when views are pending, and those being moved were (0: none); viewers and sessions of the day; 1 when
-- `registered` is complete.
local call = redis.call
local kept = call('HMGET', KEYS[7], 'pending', 'since', 'syncing_since', 'day', 'viewers', 'sessions')
kept[1] = tonumber(kept[1] or '-1')
for i = 2, 6 do
  kept[i] = tonumber(kept[i] or '0')
end
local pending, syncing = call('HLEN', KEYS[2]), call('HLEN', KEYS[3])
local is_today = kept[4] >= tonumber(ARGV[1])
return {
  tonumber(call('GET', KEYS[1]) or '0'),
  pending,
  syncing,
  call('HLEN', KEYS[6]),
  call('HLEN', KEYS[4]) + call('HLEN', KEYS[5]),
  pending > 0 and kept[1] or 0,
  pending > 0 and kept[2] or 0,
  syncing > 0 and kept[3] or 0,
  is_today and kept[5] or 0,
  is_today and kept[6] or 0,
  call('SISMEMBER', KEYS[8], '*'),
}
