//! The scripts that Redis runs. Each script is atomic, so that instances together never exceed a limit.

/// Adds an amount to every counter, or to none if one would exceed its limit.
///
/// Arguments: the amount, the window in milliseconds, the limit of each key. Returns the index of the counter that
/// refuses, or 0; then for each key the used amount and the milliseconds until its window ends.
pub(super) const TAKE: &str = r"
local amount, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local result, refused = {0}, 0
for i, key in ipairs(KEYS) do
  local used, left = tonumber(redis.call('GET', key) or '0'), redis.call('PTTL', key)
  if left < 0 then used = 0; left = window end
  result[2 * i], result[2 * i + 1] = used, left
  if refused == 0 and used + amount > tonumber(ARGV[2 + i]) then refused = i end
end
result[1] = refused
if refused == 0 then
  for i, key in ipairs(KEYS) do
    result[2 * i] = result[2 * i] + amount
    redis.call('SET', key, string.format('%.0f', result[2 * i]), 'PX', math.max(1, result[2 * i + 1]))
  end
end
return result
";

/// Adds an amount to a counter, unless the marker exists. Both expire.
///
/// Keys: the counter, the marker. Arguments: the amount, the milliseconds until the window ends where the counter is new.
/// Returns whether it was added.
pub(super) const ADD_ONCE: &str = r"
local left = redis.call('PTTL', KEYS[1])
if left < 0 then left = tonumber(ARGV[2]) end
if not redis.call('SET', KEYS[2], 1, 'NX', 'PX', math.max(1, left)) then return 0 end
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
redis.call('SET', KEYS[1], string.format('%.0f', used + tonumber(ARGV[1])), 'PX', math.max(1, left))
return 1
";

/// Counts an event on every rate.
///
/// Arguments: the half-life in milliseconds. Returns the count of each key as text.
pub(super) const COUNT_EVENT: &str = r"
local time = redis.call('TIME')
local now, half_life = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[1])
local result = {}
for i, key in ipairs(KEYS) do
  local rate = redis.call('HMGET', key, 'count', 'at')
  local count, at = tonumber(rate[1] or '0'), tonumber(rate[2] or now)
  count = count * 0.5 ^ (math.max(0, now - at) / half_life) + 1
  result[i] = string.format('%.6f', count)
  redis.call('HSET', key, 'count', result[i], 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', key, half_life * 20)
end
return result
";

/// Counts a request against a rate limit (the generic cell rate algorithm).
///
/// Arguments: microseconds for each request in the long run, and the burst. Returns how many microseconds to wait, or 0.
pub(super) const CHECK_RATE: &str = r"
local time = redis.call('TIME')
local now, interval, burst = time[1] * 1000000 + time[2], tonumber(ARGV[1]), tonumber(ARGV[2])
local next = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + interval
local wait = next - interval * burst - now
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1)
return 0
";

/// Adds a lease to every key, or to none if one has as many as its limit.
///
/// Arguments: the lease's id, its lifetime in milliseconds, the limit of each key. Returns the index of the key that
/// refuses, or 0.
pub(super) const LEASE: &str = r"
local time = redis.call('TIME')
local now, lifetime = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2])
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) >= tonumber(ARGV[2 + i]) then return i end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + lifetime, ARGV[1])
  redis.call('PEXPIRE', key, lifetime * 2)
end
return 0
";

/// Extends a lease: one that a restarted Redis has lost is added again. The caller ends it if it was released meanwhile.
///
/// Arguments: the lease's id, its lifetime in milliseconds.
pub(super) const RENEW: &str = r"
local time = redis.call('TIME')
local now, lifetime = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2])
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + lifetime, ARGV[1])
  redis.call('PEXPIRE', key, lifetime * 2)
end
return 0
";

/// Ends a lease.
///
/// Arguments: the lease's id.
pub(super) const RELEASE: &str = r"
for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end
return 0
";
