-- How one shard stands, from the counters that track.lua and open.lua keep. Only pending views are added up here, from the
-- counts of at most MaxContentsPerShard contents: a counter of them would cost each view half a microsecond.
-- KEYS: epoch, pending, syncing, refused, refusing, parked, stats, registered. ARGV: the day's start in milliseconds.
-- Answers the epoch; contents pending, being moved, and moved aside; fields of refusals; pending views;
-- since when views are pending, and those being moved were (0: none); viewers and sessions of the day; 1 when
-- `registered` is complete.
local call = redis.call
local kept = call('HMGET', KEYS[7], 'since', 'syncing_since', 'day', 'viewers', 'sessions')
for i = 1, 5 do
  kept[i] = tonumber(kept[i] or '0')
end
local views = 0
for _, count in ipairs(call('HVALS', KEYS[2])) do
  views = views + tonumber(count)
end
local pending, syncing = call('HLEN', KEYS[2]), call('HLEN', KEYS[3])
local is_today = kept[3] >= tonumber(ARGV[1])
return {
  tonumber(call('GET', KEYS[1]) or '0'),
  pending,
  syncing,
  call('HLEN', KEYS[6]),
  call('HLEN', KEYS[4]) + call('HLEN', KEYS[5]),
  views,
  pending > 0 and kept[1] or 0,
  syncing > 0 and kept[2] or 0,
  is_today and kept[4] or 0,
  is_today and kept[5] or 0,
  call('SISMEMBER', KEYS[8], '*'),
}
