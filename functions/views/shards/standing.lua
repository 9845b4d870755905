-- What the rules remember of one viewer and one content, as track.lua keeps it, at one moment. It writes nothing.
-- KEYS: pending, stats, the network's counts, the state of each of the viewer's names. ARGV: the content's digest.
-- Answers how many contents are pending, and how many of them are unknown; how often the content counted for the network;
-- and for each name the day and its views, the content's last view with its session ('' where there is none, as they are
-- packed).
local found = {
  redis.call('HLEN', KEYS[1]),
  tonumber(redis.call('HGET', KEYS[2], 'unknown') or '0') or 0,
  tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0') or 0,
}
for i = 4, #KEYS do
  local kept = redis.call('HMGET', KEYS[i], 'd', ARGV[1])
  found[#found + 1] = kept[1] or ''
  found[#found + 1] = kept[2] or ''
end
return found
