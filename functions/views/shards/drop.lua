-- Drop names of which all that was held is applied. KEYS: epoch, syncing, parked, stats; or epoch, refusing.
-- ARGV: the epoch, names. Answers the shard's epoch; it does nothing when that is another.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if opened == tonumber(ARGV[1]) then
  for i = 2, #ARGV do
    for hash = 2, math.min(#KEYS, 3) do
      redis.call('HDEL', KEYS[hash], ARGV[i])
    end
  end
  if KEYS[4] and redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('HDEL', KEYS[4], 'syncing_since')
  end
end
return opened
