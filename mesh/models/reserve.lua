-- Takes a call's estimate from the buckets of its model and from the day's money, or says what forbids it.
-- KEYS: bucket of the model, money of the day, money of the account's day
-- ARGV: now in ms, requests a minute, tokens a minute, tokens, millionths of a dollar, cap of the day, cap of the account
-- Returns {"ok" | "day" | "user", 0} or {"wait", milliseconds}.
local now, rpm, tpm = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, cost = math.min(tonumber(ARGV[4]), tpm), tonumber(ARGV[5])
local day_cap, user_cap = tonumber(ARGV[6]), tonumber(ARGV[7])
if day_cap > 0 and tonumber(redis.call('GET', KEYS[2]) or '0') + cost > day_cap then return {'day', 0} end
if user_cap > 0 and tonumber(redis.call('GET', KEYS[3]) or '0') + cost > user_cap then return {'user', 0} end
local kept = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'at')
local at = tonumber(kept[3] or now)
local elapsed = math.max(0, now - at)
local left_requests = math.min(rpm, tonumber(kept[1] or rpm) + elapsed * rpm / 60000)
local left_tokens = math.min(tpm, tonumber(kept[2] or tpm) + elapsed * tpm / 60000)
local wait = math.max((1 - left_requests) * 60000 / rpm, (tokens - left_tokens) * 60000 / tpm)
if wait > 0 then return {'wait', math.ceil(wait)} end
redis.call('HSET', KEYS[1], 'requests', left_requests - 1, 'tokens', left_tokens - tokens, 'at', math.max(at, now))
redis.call('PEXPIRE', KEYS[1], 120000)
for place = 2, 3 do
  redis.call('INCRBY', KEYS[place], cost)
  redis.call('EXPIRE', KEYS[place], 172800)
end
return {'ok', 0}
