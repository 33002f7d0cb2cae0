-- Takes the estimate of a call, or of several together, from the buckets of its model and from the day's money, or says what forbids it.
-- KEYS: bucket of the model, money of the day, money of the account's day, mark that the day's money was reported by a caller
-- ARGV: now in ms, requests a minute, tokens a minute, tokens, millionths of a dollar, cap of the day, cap of the account,
-- "1" if the caller can report what was spent, what it reports for everybody and for the account, or -1; calls;
-- "0" if no account has a cap
-- Returns {"ok" | "day" | "user" | "unknown", 0} or {"wait", milliseconds}.
local now, rpm, tpm = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, cost = math.min(tonumber(ARGV[4]), tpm), tonumber(ARGV[5])
local day_cap, user_cap = tonumber(ARGV[6]), tonumber(ARGV[7])
local reported = {[2] = tonumber(ARGV[9]), [3] = tonumber(ARGV[10])}
local calls, kept_seconds = tonumber(ARGV[11]), 172800

-- Without caps nobody counts by account: once there are, what was spent before has to be asked for.
if ARGV[12] == '0' then redis.call('SET', KEYS[4], 1, 'EX', kept_seconds) end

if day_cap > 0 or user_cap > 0 then
  local day = redis.call('EXISTS', KEYS[2]) == 1
  -- An account without money has spent none, unless all was forgotten since the day began.
  local user = redis.call('EXISTS', KEYS[3]) == 1 or (day and redis.call('EXISTS', KEYS[4]) == 0)
  if reported[2] < 0 and ARGV[8] == '1' and not (day and (user or user_cap == 0)) then return {'unknown', 0} end
  -- Where nobody has spent anything yet, nothing can have been forgotten.
  if not day and reported[2] ~= 0 then redis.call('SET', KEYS[4], 1, 'EX', kept_seconds) end
  for place = 2, 3 do
    if reported[place] >= 0 and tonumber(redis.call('GET', KEYS[place]) or '-1') < reported[place] then
      redis.call('SET', KEYS[place], reported[place], 'EX', kept_seconds)
    end
  end
end

if day_cap > 0 and tonumber(redis.call('GET', KEYS[2]) or '0') + cost > day_cap then return {'day', 0} end
if user_cap > 0 and tonumber(redis.call('GET', KEYS[3]) or '0') + cost > user_cap then return {'user', 0} end
local kept = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'at')
local at = tonumber(kept[3] or now)
local elapsed = math.max(0, now - at)
local left_requests = math.min(rpm, tonumber(kept[1] or rpm) + elapsed * rpm / 60000)
local left_tokens = math.min(tpm, tonumber(kept[2] or tpm) + elapsed * tpm / 60000)
local wait = math.max((calls - left_requests) * 60000 / rpm, (tokens - left_tokens) * 60000 / tpm)
if wait > 0 then return {'wait', math.ceil(wait)} end
redis.call('HSET', KEYS[1], 'requests', left_requests - calls, 'tokens', left_tokens - tokens, 'at', math.max(at, now))
redis.call('PEXPIRE', KEYS[1], 120000)
for place = 2, 3 do
  redis.call('INCRBY', KEYS[place], cost)
  redis.call('EXPIRE', KEYS[place], kept_seconds)
end
return {'ok', 0}
