-- How complete the registered contents of one shard are. KEYS: registered, rebuild.
-- Answers -1 when they are complete, when the rebuild that is under way got on last in milliseconds, or 0 without one.
if redis.call('SISMEMBER', KEYS[1], '*') == 1 then
  return -1
end
local rebuild = redis.call('HMGET', KEYS[2], 'id', 'at')
if rebuild[1] and redis.call('SISMEMBER', KEYS[1], '!' .. rebuild[1]) == 1 then
  return tonumber(rebuild[2]) or 0
end
return 0
