-- Find keys of another type than theirs, such as ones that were written by hand. KEYS: keys, then for each the name to
-- move it to. ARGV: 1: move them there, where they are kept for 30 days; then the type of each key.
-- Answers the numbers of the keys that are of another type.
local odd, many = {}, #KEYS / 2
for i = 1, many do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= 'none' and found ~= ARGV[i + 1] then
    odd[#odd + 1] = i
    if ARGV[1] == '1' then
      redis.call('RENAME', KEYS[i], KEYS[many + i])
      redis.call('EXPIRE', KEYS[many + i], 30 * 86400)
    end
  end
end
return odd
