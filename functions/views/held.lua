-- The counts that one shard holds of some contents. KEYS: epoch, syncing, parked. ARGV: the epoch, contents.
-- Answers the shard's epoch, then for each content its count in syncing and its entries in parked.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0')
local answer = {opened}
if opened ~= tonumber(ARGV[1]) then
  return answer
end
for i = 2, #ARGV do
  answer[#answer + 1] = redis.call('HGET', KEYS[2], ARGV[i]) or ''
  answer[#answer + 1] = redis.call('HGET', KEYS[3], ARGV[i]) or ''
end
return answer
