-- Move one content aside, with its epoch and day. KEYS: epoch, syncing, parked, stats.
-- ARGV: the epoch, its day, the content. Answers the shard's epoch; it does nothing when that is another.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0')
if opened == tonumber(ARGV[1]) then
  local views = redis.call('HGET', KEYS[2], ARGV[3])
  if views then
    local before = redis.call('HGET', KEYS[3], ARGV[3]) or ''
    redis.call('HSET', KEYS[3], ARGV[3], before .. ARGV[1] .. ':' .. ARGV[2] .. ':' .. views .. ';')
    redis.call('HDEL', KEYS[2], ARGV[3])
    if redis.call('EXISTS', KEYS[2]) == 0 then
      redis.call('HDEL', KEYS[4], 'syncing_since')
    end
  end
end
return opened
