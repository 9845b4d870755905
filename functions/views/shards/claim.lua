-- Claim views that the database took while Redis did not answer, of one shard's viewers. Each counts once: it is for the
-- sync to add, unless track.lua counted that content for that viewer on that day.
-- KEYS: for each view, its viewer's state. ARGV: now, and how long a state is kept at least, in milliseconds; then for
-- each view its content's digest and, packed, when it was taken, and when its day begins and ends.
-- Answers for each view 1 when the sync is to add it, 0 when track.lua counted it.
--
-- The first answer is kept in the state, and repeated: the field `~`, digest and day holds the time of the last claim
-- and the answer. A view for the sync is written into the state as the content's last view, so that track.lua refuses
-- what it would refuse after it.
local call = redis.call
local now, kept_for = tonumber(ARGV[1]), tonumber(ARGV[2])
local answers = {}
for i = 1, #KEYS do
  local state, digest = KEYS[i], ARGV[2 * i + 1]
  local at, day, day_end = struct.unpack('>I8I8I8', ARGV[2 * i + 2])
  local claim = '~' .. digest .. struct.pack('>I6', day)
  local kept = call('HMGET', state, digest, claim)
  local answer = 1
  if kept[2] and #kept[2] == 7 then
    local _
    _, answer = struct.unpack('>I6B', kept[2])
  else
    local last, start, count = at, at, 0
    if kept[1] and #kept[1] == 12 then
      local age
      last, age, count = struct.unpack('>I6I4I2', kept[1])
      start = last - age
      if (last >= day and last < day_end) or (start >= day and start < day_end) then
        answer = 0
      end
    end
    if answer == 1 and last <= at then
      if at - start >= 2 ^ 32 then
        start, count = at, 0
      end
      call('HSET', state, digest, struct.pack('>I6I4I2', at, at - start, count + 1))
    end
  end
  -- Like every value of a state it begins with a time, by which track.lua clears what is old.
  call('HSET', state, claim, struct.pack('>I6B', now, answer))
  if call('PTTL', state) < kept_for then
    call('PEXPIRE', state, kept_for)
  end
  answers[i] = answer
end
return answers
