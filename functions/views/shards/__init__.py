"""The viewer shards in Redis, for all but tracking."""
