-- All that one shard holds of some contents, at one moment. KEYS: epoch, pending, syncing, parked. ARGV: contents.
-- Answers the shard's epoch (0: none), then for each content its views by day in pending, syncing and parked.
local answer = {tonumber(redis.call('GET', KEYS[1]) or '0') or 0}
for i = 1, #ARGV do
  answer[#answer + 1] = redis.call('HGET', KEYS[2], ARGV[i]) or ''
  answer[#answer + 1] = redis.call('HGET', KEYS[3], ARGV[i]) or ''
  answer[#answer + 1] = redis.call('HGET', KEYS[4], ARGV[i]) or ''
end
return answer
