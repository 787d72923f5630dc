-- SPDX-License-Identifier: MIT
-- max: nine strings for each job that runs, and for those that have waited longest: id, student, contest,
-- challenge, priority, worker ('': it waits), attempt, ms since it was claimed or enqueued, its last stage
local max, t = num(arg(1)), now()
local out = {}

-- The last stage of a live log, as it was written; others print there, too.
local function stage(id)
	for _, e in ipairs(redis.call('XREVRANGE', P .. 'log:' .. id, '+', '-', 'COUNT', 8)) do
		if e[2][2] == 'stage' then
			return e[2][4] or ''
		end
	end
	return ''
end

local function add(id)
	local j = job(id)
	if not j then
		return
	end
	local runs = j.state == 'running'
	local since = num(runs and j.claimed or j.enqueued)
	local worker = runs and redis.call('HGET', job_key(id), 'owner') or ''
	for _, v in ipairs({ id, j.student, j.contest, j.challenge, str(j.p), worker or '', j.att,
		str(math.max(t - since, 0)), runs and stage(id) or '' }) do
		out[#out + 1] = v
	end
end

for _, id in ipairs(redis.call('ZRANGE', P .. 'leases', 0, max - 1)) do
	add(id)
end
for _, key in ipairs({ 'queued', 'queued:rejudge' }) do
	local left = max - #out / 9
	if left > 0 then
		for _, id in ipairs(redis.call('ZRANGE', P .. key, 0, left - 1)) do
			add(id)
		end
	end
end
return out
