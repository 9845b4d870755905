-- Open an epoch on one shard. KEYS: epoch, pending, syncing, refused, refusing, stats. ARGV: the epoch to open.
-- Answers 1 when it was opened now.
local opening = tonumber(ARGV[1])
local found = redis.call('GET', KEYS[1])
local opened = found and tonumber(found)
if opened and opened >= opening then
  return 0 -- a repeat
end
if opened then
  for i = 2, 5 do
    redis.call('HLEN', KEYS[i]) -- a key of another type fails here, before anything is renamed over it
  end
  if redis.call('EXISTS', KEYS[2]) == 1 then
    local since = redis.call('HGET', KEYS[6], 'since')
    if since then
      redis.call('HSET', KEYS[6], 'syncing_since', since)
    end
    redis.call('HDEL', KEYS[6], 'since', 'unknown', 'too_many')
    local counted = redis.call('HGET', KEYS[6], 'counted')
    if counted then
      redis.call('HSET', KEYS[6], 'counted', tonumber(string.sub(counted, -9)) or 0) -- the sessions of the day stay
    end
  end
  for from = 2, 4, 2 do
    if redis.call('EXISTS', KEYS[from]) == 1 then
      redis.call('RENAME', KEYS[from], KEYS[from + 1])
      if from == 4 then
        redis.call('HDEL', KEYS[6], 'unregistered')
      end
    end
  end
end
-- A shard that is new or restarted empty renames nothing: this epoch's views of a content may be applied already.
redis.call('SET', KEYS[1], opening)
return 1
