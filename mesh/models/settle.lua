-- Corrects an estimate to what was used.
-- KEYS: as for reserve.lua. ARGV: tokens and millionths of a dollar to give back, which may be negative; calls likewise.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBYFLOAT', KEYS[1], 'tokens', ARGV[1])
  redis.call('HINCRBYFLOAT', KEYS[1], 'requests', ARGV[3])
end
for place = 2, 3 do
  if redis.call('EXISTS', KEYS[place]) == 1 then redis.call('DECRBY', KEYS[place], ARGV[2]) end
end
return 0
