-- SPDX-License-Identifier: MIT
-- The members of struct queue_status, in their order.
local t = now()
local n, workers, busy = slots(t)
local held, students, oldest = 0, 0, 0
local counts = redis.call('HMGET', P .. 'count', 0, 1, 2, 3)
for _, set in ipairs({ 'paused', 'resuming' }) do
	for _, contest in ipairs(redis.call('SMEMBERS', P .. set)) do
		held = held + redis.call('ZCARD', P .. 'held:' .. contest)
	end
end
for p = 0, 3 do
	students = students + redis.call('ZCARD', P .. 'ready:' .. p)
end
local first = redis.call('ZRANGE', P .. 'queued', 0, 0, 'WITHSCORES')
if #first > 0 then
	oldest = math.max(t - num(first[2]), 0)
end
local out = { t, redis.call('ZCARD', P .. 'queued') + redis.call('ZCARD', P .. 'queued:rejudge'),
	num(counts[1]), num(counts[2]), num(counts[3]), num(counts[4]),
	redis.call('ZCARD', P .. 'delayed'), held, oldest, students, redis.call('ZCARD', P .. 'leases'),
	redis.call('SCARD', P .. 'rejudging'), redis.call('XLEN', P .. 'dead'),
	redis.call('ZCARD', P .. 'unheard'), redis.call('LLEN', P .. 'intake'), workers, n, busy, p50(),
	paused_all() and 1 or 0, redis.call('ZCARD', P .. 'ended') }
for i, v in ipairs(out) do
	out[i] = str(v)
end
return out
