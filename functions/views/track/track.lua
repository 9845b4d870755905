-- Counts one view, or says which rules refuse it: views/rules.py says what they mean. Runs on Redis 6.2 and later.
--
-- KEYS   1 the viewer's state   2 the shard's pending   3 its refused   4 its stats   5 its registered contents
--        then the states of the viewer's other names, today's first, and last the network's counts, if they are asked:
--          one tag, so one slot
-- ARGV   1 the content's digest, 8 bytes: its field in the state
--        2 the content, such as story:123: its field in pending
--        3 numbers, packed, for that halves what reading them takes: now, the day's start and its end by the caller's
--          clock; cooldown, once per day (0 or 1), per session, session, per day: 0 is off; how long a counted view can
--          matter; how many contents pending may hold, and fields refused: 0 is off; how many of these contents may be
--          unknown; dry: 1 decides and writes nothing; registered only: 1 refuses a content that is not in a complete set
--          of registered contents; 1 for an anonymous viewer; per network, 0: no network is given; how many other names;
--          1: the first of them is written too. Times are in milliseconds
--        4 the hour, such as 2026-11-20T08
--        5 reasons found by the caller, joined by +: they are counted, and no rule is asked
--        6 the caller's day, such as 2026-11-20
-- Answer: 0 when the view was counted (a list of one number takes half a microsecond longer); else the wait in
-- milliseconds, 0 if none is known, and the rules that refuse, joined by +.
--
-- The state is one hash: `d` the day and its views, a content's digest its last view, the session's age then, and the
-- session's views. Times are compared here; expiry is set to three times what a rule may ask for, once a day, which
-- leaves twice that after the day's last view, and only collects garbage. A viewer of several names is decided on by
-- the latest view of the content, with its session, and by the most views of the day; and these are what is kept.
--
-- A field of `pending` holds the content's views by day, newest first: `2026-11-26:3;2026-11-25:40;` (a bare number, as
-- older releases wrote it, is last). A view is of the caller's day, or of the newest one in the field if that is later.
--
-- A content of pending is unknown when nobody vouches for its id: where only registered contents count it is not in the
-- set (which is not complete), and elsewhere its first pending view was an anonymous viewer's.
--
-- The stats are one hash: `counted`, two numbers that one command counts, the sessions begun today in its last nine digits
-- and the pending views before them; `since`, when the oldest of these was counted; `unknown`, the unknown contents that
-- are pending, `unregistered`, the fields of refusals that contents outside the set have made or found no room for, and
-- `too_many`, how many views were refused for too many contents, all three since the last epoch; `day`, the start of
-- the last day begun, and its `viewers`.
local call, pcall = redis.call, redis.pcall
local now, day, day_end, cooldown, once, per_session, session, per_day, memory, most, most_unknown, dry, registered_only,
  is_anonymous, per_network, others, is_written = struct.unpack('>I8I8I8I4BI2I4I4I8I4I4BBBI4BB', ARGV[3])

local is_registered = false

-- Whether one more field of refusals is too many. Where only registered contents count, those outside the set share the
-- part of the room that unknown contents have: made-up ids then cost little, and registered contents keep their fields.
local function is_full()
  if most == 0 then
    return false
  end
  if call('HLEN', KEYS[3]) > most then
    return true
  end
  -- A bot is refused before the set is asked.
  if registered_only == 0 or is_registered or call('SISMEMBER', KEYS[5], ARGV[2]) == 1 then
    return false
  end
  return (tonumber(pcall('HINCRBY', KEYS[4], 'unregistered', '1')) or 0) > most_unknown
end

-- What is counted for those who run the system is counted by pcall. If it cannot be (out of memory, a replica, a wrong
-- type), that changes no answer: else the caller would count a refused view elsewhere.
local function refuse(wait, rules)
  if dry == 0 then
    local field = rules .. '|' .. ARGV[2] .. '|' .. ARGV[4]
    if pcall('HINCRBY', KEYS[3], field, '1') == 1 and is_full() then
      call('HDEL', KEYS[3], field)
      pcall('HINCRBY', KEYS[3], rules .. '|*|' .. ARGV[4], '1')
    end
  end
  return {wait, rules}
end

if ARGV[5] ~= '' then
  return refuse(0, ARGV[5])
end
if registered_only == 1 then
  -- Without the marker the set is not known to be complete: never built, or lost with a restart.
  local known = call('SMISMEMBER', KEYS[5], '*', ARGV[2])
  is_registered = known[2] == 1
  if known[1] == 1 and not is_registered then
    return refuse(0, 'unregistered')
  end
end

local kept = call('HMGET', KEYS[1], 'd', ARGV[1])
local rules, ends = '', 0

local seen, last, start, count = kept[2], now, now, 0
if seen then
  local age
  last, age, count = struct.unpack('>I6I4I2', seen)
  start = last - age
end
local own_day, counted_day, views = 0, 0, 0
if kept[1] then
  own_day, views = struct.unpack('>I6I4', kept[1])
  counted_day = own_day
end
local todays_day = 0 -- of the state of today's name, where that is another
for i = 6, 5 + others do
  local other = call('HMGET', KEYS[i], 'd', ARGV[1])
  if other[2] then
    local at, age, of_session = struct.unpack('>I6I4I2', other[2])
    if not seen or at > last or (at == last and of_session > count) then
      seen, last, start, count = true, at, at - age, of_session
    end
  end
  if other[1] then
    local at, of_day = struct.unpack('>I6I4', other[1])
    if at > counted_day then
      counted_day, views = at, of_day
    elseif at == counted_day then
      views = math.max(views, of_day)
    end
    if i == 6 then
      todays_day = at
    end
  end
end

if seen then
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
local is_first, is_unknown = false, false
if not held then
  local contents = call('HLEN', KEYS[2])
  is_first = contents == 0
  is_unknown = not is_registered and (registered_only == 1 or is_anonymous == 1)
  if most > 0 and not is_registered and (contents >= most
      or is_unknown and (tonumber(pcall('HGET', KEYS[4], 'unknown')) or 0) >= most_unknown) then
    if dry == 0 then
      pcall('HINCRBY', KEYS[4], 'too_many', '1')
    end
    return refuse(0, 'too_many_contents')
  end
end

local network = KEYS[6 + others]
if per_network > 0 and tonumber(call('HGET', network, ARGV[1]) or 0) >= per_network then
  return refuse(day_end - now, 'network_limit')
end
if dry == 1 then
  return 0
end

local today, of_today, earlier = ARGV[6], 0, held or ''
if held then
  local newest, of_newest, before = string.match(held, '^([%d-]+):(%d+);(.*)')
  if newest and newest >= today then
    today, of_today, earlier = newest, of_newest, before
  end
end

-- Everything that is not noted was read before, so only the first write may fail: out of memory, or on a replica. The
-- view is written last.
local of_day = struct.pack('>I6I4', counted_day, views + 1)
local of_content = struct.pack('>I6I4I2', last, last - start, count + 1)
call('HSET', KEYS[1], 'd', of_day, ARGV[1], of_content)
if is_written == 1 then
  call('HSET', KEYS[6], 'd', of_day, ARGV[1], of_content)
  if day > todays_day then
    call('PEXPIRE', KEYS[6], 3 * memory)
  end
end
if day > own_day then
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
if per_network > 0 and call('HINCRBY', network, ARGV[1], 1) == 1 then
  call('PEXPIRE', network, 2 * 86400000)
end

if is_first then
  pcall('HSET', KEYS[4], 'since', now)
end
if is_unknown then
  pcall('HINCRBY', KEYS[4], 'unknown', '1')
end
if is_new_day then
  -- A late clock's day counts no viewer: it is counted with its first view of the day that others have begun.
  local noted = pcall('HMGET', KEYS[4], 'day', 'counted')
  local begun = tonumber(noted[1]) or 0
  if day > begun then
    local pending_views = string.sub(noted[2] or '', 1, -10)
    pcall('HSET', KEYS[4], 'day', day, 'viewers', 1, 'counted', pending_views == '' and 0 or pending_views .. '000000000')
  elseif day == begun then
    pcall('HINCRBY', KEYS[4], 'viewers', '1')
  end
end
pcall('HINCRBY', KEYS[4], 'counted', count == 0 and session > 0 and '1000000001' or '1000000000')
call('HSET', KEYS[2], ARGV[2], today .. ':' .. of_today + 1 .. ';' .. earlier)
return 0
