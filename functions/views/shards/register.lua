-- Add contents to the registered ones of one shard. KEYS: registered, rebuild. ARGV: a rebuild or '', now, contents.
-- Answers 0, and adds nothing, when this rebuild is not under way here: it was taken over, or the shard restarted empty.
-- Without a rebuild it adds nothing where there is no set: the rebuild that makes one reads what is in the database then.
if ARGV[1] == '' then
  if redis.call('EXISTS', KEYS[1]) == 0 then
    return 1
  end
elseif redis.call('SISMEMBER', KEYS[1], '!' .. ARGV[1]) == 0 then
  return 0
else
  redis.call('HSET', KEYS[2], 'at', ARGV[2])
end
for i = 3, #ARGV do
  redis.call('SADD', KEYS[1], ARGV[i])
end
return 1
