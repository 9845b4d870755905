-- Counts one view, or says which rules refuse it: views/rules.py says what they mean. Runs on Redis 6.2 and later.
--
-- KEYS   1 the viewer's state   2 the shard's pending   3 its refused   4 its stats   5 its registered contents: one
--          tag, so one slot
-- ARGV   1 the content's digest, 8 bytes: its field in the state
--        2 the content, such as story:123: its field in pending
--        3 numbers, packed, for that halves what reading them takes: now, the day's start and its end by the caller's
--          clock; cooldown, once per day (0 or 1), per session, session, per day: 0 is off; how long a counted view can
--          matter. Times are in milliseconds
--        4 the hour, such as 2026-11-20T08
--        5 reasons found by the caller, joined by +: they are counted, and no rule is asked
--        6 dry: 1 decides and writes nothing
--        7 registered only: 1 refuses a content that is not in a complete set of registered contents
--        8 how many contents pending may hold, and fields refused: 0 is off
--        9 the caller's day, such as 2026-11-20
-- Answer: 0 when the view was counted (a list of one number takes half a microsecond longer); else the wait in
-- milliseconds, 0 if none is known, and the rules that refuse, joined by +.
--
-- The state is one hash: `d` the day and its views, a content's digest its last view, the session's age then, and the
-- session's views. Times are compared here; expiry is set to three times what a rule may ask for, once a day, which
-- leaves twice that after the day's last view, and only collects garbage.
--
-- A field of `pending` holds the content's views by day, newest first: `2026-11-26:3;2026-11-25:40;` (a bare number, as
-- older releases wrote it, is last). A view is of the caller's day, or of the newest one in the field if that is later.
--
-- The stats are one hash: `pending_views`, and `since`, when the oldest of them was counted; `day`, the start of the last
-- day begun, with its `viewers` and the `sessions` begun in it.
local call = redis.call

local function refuse(wait, rules)
  if ARGV[6] ~= '1' then
    local field = rules .. '|' .. ARGV[2] .. '|' .. ARGV[4]
    if call('HINCRBY', KEYS[3], field, 1) == 1 and ARGV[8] ~= '0' and call('HLEN', KEYS[3]) > tonumber(ARGV[8]) then
      call('HDEL', KEYS[3], field)
      call('HINCRBY', KEYS[3], rules .. '|*|' .. ARGV[4], 1)
    end
  end
  return {wait, rules}
end

if ARGV[5] ~= '' then
  return refuse(0, ARGV[5])
end
if ARGV[7] == '1' then
  -- Without the marker the set is not known to be complete: never built, or lost with a restart.
  local known = call('SMISMEMBER', KEYS[5], '*', ARGV[2])
  if known[1] == 1 and known[2] == 0 then
    return refuse(0, 'unregistered')
  end
end

local now, day, day_end, cooldown, once, per_session, session, per_day, memory =
  struct.unpack('>I8I8I8I4BI2I4I4I8', ARGV[3])
local kept = call('HMGET', KEYS[1], 'd', ARGV[1])
local rules, ends = '', 0

local last, start, count = now, now, 0
if kept[2] then
  local age
  last, age, count = struct.unpack('>I6I4I2', kept[2])
  start = last - age
  if cooldown > 0 and now - last < cooldown then
    rules, ends = '+cooldown', last + cooldown
  end
  if once == 1 and last >= day then
    rules, ends = rules .. '+daily_viewed', math.max(ends, day_end)
  end
  if now - start >= session then
    start, count = now, 0
  elseif per_session > 0 and count >= per_session then
    rules, ends = rules .. '+session_limit', math.max(ends, start + session)
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
  rules, ends = rules .. '+daily_limit', math.max(ends, day_end)
end

if rules ~= '' then
  return refuse(ends - now, string.sub(rules, 2))
end

local held = call('HGET', KEYS[2], ARGV[2])
local is_first = false
if not held then
  local contents = call('HLEN', KEYS[2])
  if ARGV[8] ~= '0' and contents >= tonumber(ARGV[8]) then
    return refuse(0, 'too_many_contents')
  end
  is_first = contents == 0
end
if ARGV[6] == '1' then
  return 0
end

local today, of_today, earlier = ARGV[9], 0, held or ''
if held then
  local newest, of_newest, others = string.match(held, '^([%d-]+):(%d+);(.*)')
  if newest and newest >= today then
    today, of_today, earlier = newest, of_newest, others
  end
end

-- Only the stats have not been read, so only their writes may still fail: they come first. Then the state, and the view
-- last. A script that fails half way leaves no view, and the viewer may come again.
if is_first then
  call('HSET', KEYS[4], 'since', now)
end
call('HINCRBY', KEYS[4], 'pending_views', 1)
if is_new_day then
  -- A late clock's day counts no viewer: it is counted with its first view of the day that others have begun.
  local begun = tonumber(call('HGET', KEYS[4], 'day') or 0)
  if day > begun then
    call('HSET', KEYS[4], 'day', day, 'viewers', 1, 'sessions', 0)
  elseif day == begun then
    call('HINCRBY', KEYS[4], 'viewers', 1)
  end
end
if count == 0 and session > 0 then
  call('HINCRBY', KEYS[4], 'sessions', 1)
end
call('HSET', KEYS[1],
  'd', struct.pack('>I6I4', counted_day, views + 1),
  ARGV[1], struct.pack('>I6I4I2', last, last - start, count + 1))
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
call('HSET', KEYS[2], ARGV[2], today .. ':' .. of_today + 1 .. ';' .. earlier)
return 0
