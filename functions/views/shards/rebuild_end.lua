-- Mark one shard's registered contents as complete. KEYS: registered, rebuild. ARGV: the rebuild.
-- Answers 0, and does nothing, when this rebuild is not under way here.
if redis.call('SREM', KEYS[1], '!' .. ARGV[1]) == 0 then
  return 0
end
redis.call('SADD', KEYS[1], '*')
redis.call('DEL', KEYS[2])
return 1
