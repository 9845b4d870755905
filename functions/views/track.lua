-- Counts one view, or says which rules refuse it: views/rules.py says what they mean. Runs on Redis 6.2 and later.
--
-- KEYS   1 the viewer's state   2 the shard's pending   3 the shard's refused: one tag, so one slot
-- ARGV   1 the content's digest, 8 bytes: its field in the state
--        2 the content, such as story:123: its field in pending
--        3 numbers, packed, for that halves what reading them takes: now, the day's start and its end by the caller's
--          clock; cooldown, once per day (0 or 1), per session, session, per day: 0 is off; how long a counted view can
--          matter. Times are in milliseconds
--        4 the hour, such as 2026-11-20T08
--        5 reasons found by the caller, separated by commas: they are counted, and no rule is asked
-- Answer: the wait in milliseconds, then the rules that refuse; nothing but a 0 when the view was counted.
--
-- The state is one hash: `d` the day and its views, a content's digest its last view, the session's age then, and the
-- session's views. Times are compared here; expiry is set to three times what a rule may ask for, once a day, which
-- leaves twice that after the day's last view, and only collects garbage.
local call = redis.call

local function refuse(answer)
  for i = 2, #answer do
    call('HINCRBY', KEYS[3], answer[i] .. '|' .. ARGV[2] .. '|' .. ARGV[4], 1)
  end
  return answer
end

if ARGV[5] ~= '' then
  local answer = {0}
  for reason in string.gmatch(ARGV[5], '[^,]+') do
    answer[#answer + 1] = reason
  end
  return refuse(answer)
end

local now, day, day_end, cooldown, once, per_session, session, per_day, memory =
  struct.unpack('>I8I8I8I4BI2I4I4I8', ARGV[3])
local kept = call('HMGET', KEYS[1], 'd', ARGV[1])
local answer, ends = {0}, 0

local last, start, count = now, now, 0
if kept[2] then
  local age
  last, age, count = struct.unpack('>I6I4I2', kept[2])
  start = last - age
  if cooldown > 0 and now - last < cooldown then
    answer[#answer + 1], ends = 'cooldown', last + cooldown
  end
  if once == 1 and last >= day then
    answer[#answer + 1], ends = 'daily_viewed', math.max(ends, day_end)
  end
  if now - start >= session then
    start, count = now, 0
  elseif per_session > 0 and count >= per_session then
    answer[#answer + 1], ends = 'session_limit', math.max(ends, start + session)
  end
  last = math.max(last, now)
end

local counted_day, views = 0, 0
if kept[1] then
  counted_day, views = struct.unpack('>I6I4', kept[1])
end
local is_new_day = day > counted_day
if is_new_day then
  counted_day, views = day, 0
end
if per_day > 0 and views >= per_day then
  answer[#answer + 1], ends = 'daily_limit', math.max(ends, day_end)
end

if answer[2] then
  answer[1] = ends - now
  return refuse(answer)
end

call('HSET', KEYS[1],
  'd', struct.pack('>I6I4', counted_day, views + 1),
  ARGV[1], struct.pack('>I6I4I2', last, last - start, count + 1))
call('HINCRBY', KEYS[2], ARGV[2], 1)
if is_new_day then
  if kept[1] then
    -- Once a day, what a viewer who keeps coming back saw long ago. (`d` begins with a time too: today's.)
    local all, old = call('HGETALL', KEYS[1]), {}
    for i = 1, #all, 2 do
      if struct.unpack('>I6', all[i + 1]) + 2 * memory <= now then
        old[#old + 1] = all[i]
      end
    end
    for i = 1, #old do
      call('HDEL', KEYS[1], old[i])
    end
  end
  call('PEXPIRE', KEYS[1], 3 * memory)
end
return answer
