-- Drop contents of which all that was held is applied. KEYS: epoch, syncing, parked. ARGV: the epoch, contents.
-- Answers the shard's epoch; it does nothing when that is another.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0')
if opened == tonumber(ARGV[1]) then
  for i = 2, #ARGV do
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('HDEL', KEYS[3], ARGV[i])
  end
end
return opened
