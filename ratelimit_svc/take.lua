-- Takes one call out of a bucket that holds as many as the limit allows and refills evenly (GCRA): the key holds the time
-- at which the bucket will be full again, in microseconds by Redis' clock, and is gone once it is full.
-- KEYS: the bucket. ARGV: the limit, microseconds of the window.
-- Returns calls left, and microseconds until the bucket is full; or -1, and microseconds until the next call.
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + window / limit
if full - now > window then
  return {-1, math.ceil(full - now - window)}
end
-- Of a very high limit a call takes less time than a double can add to the clock's: none, and no key lives as short.
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.max(1, math.ceil((full - now) / 1000)))
return {math.floor((window - (full - now)) * limit / window), math.ceil(full - now)}
