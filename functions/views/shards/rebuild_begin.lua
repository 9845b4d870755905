-- Begin a rebuild of one shard's registered contents, in the place of any other. KEYS: registered, rebuild.
-- ARGV: the rebuild, now. Answers 0, and does nothing, when they are complete.
-- The rebuild is a member of the set: a shard that loses what was added so far forgets with it that it was rebuilt.
if redis.call('SISMEMBER', KEYS[1], '*') == 1 then
  return 0
end
local other = redis.call('HGET', KEYS[2], 'id')
if other then
  redis.call('SREM', KEYS[1], '!' .. other)
end
redis.call('HSET', KEYS[2], 'id', ARGV[1], 'at', ARGV[2])
redis.call('SADD', KEYS[1], '!' .. ARGV[1])
return 1
