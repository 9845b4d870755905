-- Drop names of which all that was held is applied. KEYS: epoch, hashes. ARGV: the epoch, names.
-- Answers the shard's epoch; it does nothing when that is another.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0')
if opened == tonumber(ARGV[1]) then
  for i = 2, #ARGV do
    for hash = 2, #KEYS do
      redis.call('HDEL', KEYS[hash], ARGV[i])
    end
  end
end
return opened
