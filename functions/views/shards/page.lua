-- What one shard has left of an epoch. KEYS: epoch, a hash. ARGV: the epoch, how many names at most.
-- Answers the shard's epoch, how many names are left in the hash, and so many of them.
local opened = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local limit = tonumber(ARGV[2])
if opened ~= tonumber(ARGV[1]) then
  return {opened, 0, {}}
end
local fields = {}
local cursor = '0'
-- Always from 0, as a cursor does not survive a failover. What was deleted leaves empty buckets at the front, so that
-- one HSCAN may find nothing although there is something.
while #fields < limit do
  local found = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', limit)
  for i = 1, #found[2], 2 do
    if #fields < limit then
      fields[#fields + 1] = found[2][i]
    end
  end
  cursor = found[1]
  if cursor == '0' then
    break
  end
end
return {opened, redis.call('HLEN', KEYS[2]), fields}
