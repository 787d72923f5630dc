-- SPDX-License-Identifier: MIT
-- dry: what is left of jobs that are gone, and what is counted wrong, where keys have vanished that are
-- not ours to remove (somebody's hand, an eviction policy). { strays, lost, students, unheard }
local dry = arg(1) == '1'
local strays, lost, students, unheard = 0, 0, 0, 0

if not dry then
	even_if_full()
end

-- Members of a set of jobs that are not (any more) in this state; calls each() with the others. Records
-- that make no sense are left to claim.lua, which ends them.
local gone = {}
local function look(key, members, remove, state, each)
	for _, id in ipairs(members) do
		local j = job(id)
		if j and j.state == state and not j.nameless then
			each(id, j)
		elseif not (j and j.damaged) then
			strays = strays + 1
			if not j then
				gone[id] = true
			end
			if not dry then
				redis.call(remove, key, id)
			end
		end
	end
end

local function nothing()
end

local function zset(key, state, each)
	look(P .. key, redis.call('ZRANGE', P .. key, 0, -1), 'ZREM', state, each or nothing)
end

local function more(t, k)
	t[k] = (t[k] or 0) + 1
end

local running, waits, count, touched = {}, {}, {}, {}

zset('leases', 'running', function(_, j)
	if j.p ~= REJUDGE then
		more(running, j.student)
	end
end)
look(P .. 'rejudging', redis.call('SMEMBERS', P .. 'rejudging'), 'SREM', 'running', nothing)
zset('delayed', 'queued')
for _, set in ipairs({ 'paused', 'resuming' }) do
	for _, contest in ipairs(redis.call('SMEMBERS', P .. set)) do
		zset('held:' .. contest, 'queued')
	end
end
for p = 0, 3 do
	for _, student in ipairs(redis.call('ZRANGE', P .. 'ready:' .. p, 0, -1)) do
		zset('u:' .. p .. '/' .. student, 'queued')
	end
end

-- What waits and stands nowhere would wait for ever.
local function stands(id, j)
	local key = j.place == 'u' and waiting_key(j.p, j.student) or P .. 'delayed'
	if j.place == 'held' then
		key = P .. 'held:' .. j.contest
	end
	return redis.call('ZSCORE', key, id)
end

for p = 2, REJUDGE do
	zset(p == REJUDGE and 'queued:rejudge' or 'queued', 'queued', function(id, j)
		if j.p ~= REJUDGE then
			more(waits, j.student)
		end
		if not stands(id, j) then
			lost = lost + 1
			j.place = 'u'
			if not dry then
				redis.call('HSET', job_key(id), 'place', 'u')
				redis.call('ZADD', waiting_key(j.p, j.student), j.seq, id)
			end
			touched[j.student] = true
		end
		if j.place == 'u' then
			more(count, str(j.p))
		end
	end)
end

-- A hash of counts as it has to be; `of` is called with each name whose count was another.
local function correct(key, expected, of)
	local all = redis.call('HGETALL', P .. key)
	for i = 1, #all, 2 do
		if not expected[all[i]] then
			expected[all[i]] = 0
		end
		if expected[all[i]] == num(all[i + 1]) then
			expected[all[i]] = nil
		end
	end
	for name, n in pairs(expected) do
		of(name)
		if not dry and n > 0 then
			redis.call('HSET', P .. key, name, n)
		elseif not dry then
			redis.call('HDEL', P .. key, name)
		end
	end
end

local function wrong(student)
	touched[student] = true
end

correct('running', running, wrong)
correct('waits', waits, wrong)
correct('count', count, nothing)
for student in pairs(touched) do
	students = students + 1
	if not dry and ready_all(student) + ready(REJUDGE, student) > 0 then
		wake()
	end
end
for _, id in ipairs(redis.call('ZRANGE', P .. 'unheard', 0, -1)) do
	if redis.call('EXISTS', job_key(id)) == 0 then
		unheard = unheard + 1
		if not dry then
			redis.call('ZREM', P .. 'unheard', id)
		end
	end
end
for id in pairs(gone) do
	if not dry then
		dead_letter(id, 'its record in Redis is gone')
	end
end
return { str(strays), str(lost), str(students), str(unheard) }
