-- Add contents to the registered ones of one shard. KEYS: registered, rebuild. ARGV: a rebuild or '', now, contents.
-- Answers 0, and adds nothing, when this rebuild is not under way here: it was taken over, or the shard restarted empty.
if ARGV[1] ~= '' then
  if redis.call('SISMEMBER', KEYS[1], '!' .. ARGV[1]) == 0 then
    return 0
  end
  redis.call('HSET', KEYS[2], 'at', ARGV[2])
end
for i = 3, #ARGV do
  redis.call('SADD', KEYS[1], ARGV[i])
end
return 1
