-- Move one content aside: its epoch goes before each of its days, `7:2026-11-26:3;7:2026-11-25:40;`.
-- KEYS: epoch, syncing, parked, stats. ARGV: the epoch, its day (that of a bare number), the content.
-- Answers the shard's epoch; it does nothing when that is another.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if opened == tonumber(ARGV[1]) then
  local views = redis.call('HGET', KEYS[2], ARGV[3])
  if views then
    local aside = redis.call('HGET', KEYS[3], ARGV[3]) or ''
    for of_day in string.gmatch(views, '[^;]+') do
      if not string.find(of_day, ':', 1, true) then
        of_day = ARGV[2] .. ':' .. of_day
      end
      aside = aside .. ARGV[1] .. ':' .. of_day .. ';'
    end
    redis.call('HSET', KEYS[3], ARGV[3], aside)
    redis.call('HDEL', KEYS[2], ARGV[3])
    if redis.call('EXISTS', KEYS[2]) == 0 then
      redis.call('HDEL', KEYS[4], 'syncing_since')
    end
  end
end
return opened
