-- What one shard holds under some names. KEYS: epoch, hashes. ARGV: the epoch, names.
-- Answers the shard's epoch, then for each name its value in each hash; nothing more when the epoch is another.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local answer = {opened}
if opened ~= tonumber(ARGV[1]) then
  return answer
end
for i = 2, #ARGV do
  for hash = 2, #KEYS do
    answer[#answer + 1] = redis.call('HGET', KEYS[hash], ARGV[i]) or ''
  end
end
return answer
