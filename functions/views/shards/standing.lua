-- What the rules remember of one viewer and one content, as track.lua keeps it, at one moment. It writes nothing.
-- KEYS: the viewer's state, pending. ARGV: the content's digest, the content.
-- Answers the day and its views, the content's last view with its session ('' where there is none, as they are packed),
-- how many contents are pending, and 1 when this one is among them.
local kept = redis.call('HMGET', KEYS[1], 'd', ARGV[1])
return {
  kept[1] or '',
  kept[2] or '',
  redis.call('HLEN', KEYS[2]),
  redis.call('HEXISTS', KEYS[2], ARGV[2]),
}
