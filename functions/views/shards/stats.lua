-- How one shard stands, from the counters that track.lua and open.lua keep: nothing is added up, whatever is pending.
-- KEYS: epoch, pending, syncing, refused, refusing, parked, stats, registered. ARGV: the day's start in milliseconds.
-- Answers the epoch; contents pending, being moved, and moved aside; fields of refusals; pending views;
-- since when views are pending, and those being moved were (0: none); viewers and sessions of the day; pending contents
-- that are unknown, and views refused for too many contents; 1 when `registered` is complete.
local call = redis.call
local kept = call('HMGET', KEYS[7], 'since', 'syncing_since', 'day', 'viewers', 'unknown', 'too_many', 'counted')
for i = 1, 6 do
  kept[i] = tonumber(kept[i] or '0') or 0
end
local counted = kept[7] or '0' -- pending views, and nine digits of sessions
local pending, syncing = call('HLEN', KEYS[2]), call('HLEN', KEYS[3])
local is_today = kept[3] >= tonumber(ARGV[1])
return {
  tonumber(call('GET', KEYS[1]) or '0') or 0,
  pending,
  syncing,
  call('HLEN', KEYS[6]),
  call('HLEN', KEYS[4]) + call('HLEN', KEYS[5]),
  tonumber(string.sub(counted, 1, -10)) or 0,
  pending > 0 and kept[1] or 0,
  syncing > 0 and kept[2] or 0,
  is_today and kept[4] or 0,
  is_today and tonumber(string.sub(counted, -9)) or 0,
  kept[5],
  kept[6],
  call('SISMEMBER', KEYS[8], '*'),
}
