-- Corrects an estimate to what was used.
-- KEYS: as for reserve.lua. ARGV: tokens to give back, millionths of a dollar to give back; both may be negative.
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBYFLOAT', KEYS[1], 'tokens', ARGV[1]) end
for place = 2, 3 do
  if redis.call('EXISTS', KEYS[place]) == 1 then redis.call('DECRBY', KEYS[place], ARGV[2]) end
end
return 0
