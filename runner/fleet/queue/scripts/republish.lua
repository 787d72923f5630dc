-- SPDX-License-Identifier: MIT
-- Results that nobody received, those that are due: how many were published. After 30 s of silence the
-- message is given up; the result stays in the job.
local t = now()
local due = redis.call('ZRANGEBYSCORE', P .. 'unheard', '-inf', str(t), 'LIMIT', 0, 16)
for _, id in ipairs(due) do
	local v = redis.call('HMGET', job_key(id), 'unheard', 'done')
	local channel, message = string.match(v[1] or '', '^(%S+) (.*)$')
	local heard = channel and redis.call('PUBLISH', channel, message) or 0
	local age = t - num(v[2])
	if channel then
		redis.call('HSET', job_key(id), 'receivers', heard)
	end
	if heard > 0 or age >= 30000 or not channel then
		redis.call('ZREM', P .. 'unheard', id)
		if channel then
			redis.call('HDEL', job_key(id), 'unheard')
		end
	else
		-- doubles: the next wait is as long as all before it together
		redis.call('ZADD', P .. 'unheard', str(math.min(t + math.max(age, 250), num(v[2]) + 30000)), id)
	end
end
return str(#due)
