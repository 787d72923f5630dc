-- SPDX-License-Identifier: MIT
-- Nine strings for each worker that was heard of within an hour.
local t = now()
local out = {}
for _, w in ipairs(redis.call('ZRANGEBYSCORE', P .. 'workers', str(t - 3600000), '+inf')) do
	local v = redis.call('HMGET', P .. 'worker:' .. w, 'version', 'host', 'slots', 'busy', 'draining',
		'started', 'held')
	out[#out + 1] = w
	for i = 1, 7 do
		out[#out + 1] = v[i] or ''
	end
	out[#out + 1] = str(math.max(t - num(redis.call('ZSCORE', P .. 'workers', w)), 0))
end
return out
