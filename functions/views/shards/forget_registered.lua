-- Forget the registered contents of one shard, which refuses nobody then. KEYS: registered, rebuild.
-- Answers how many keys there were.
return redis.call('UNLINK', KEYS[1], KEYS[2])
