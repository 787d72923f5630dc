-- SPDX-License-Identifier: MIT
-- What is true of the keys of the queue at every moment (docs/queue.md); a script, so it sees one
-- moment. KEYS[1] the prefix, ARGV[1] how many jobs a student may run, ARGV[2] 'unrecorded': nobody takes what
-- ended without a judge to a ledger. Returns what is not true.
local P, CAP, UNRECORDED = KEYS[1], tonumber(ARGV[1]), ARGV[2] == 'unrecorded'
local ROUND = 67108864
local wrong = {}

local function check(ok, ...)
	if not ok and #wrong < 20 then
		wrong[#wrong + 1] = table.concat({ ... }, ' ')
	end
end

local function num(x)
	return tonumber(x) or 0
end

local function hash(key)
	local flat, out = redis.call('HGETALL', P .. key), {}
	for i = 1, #flat, 2 do
		out[flat[i]] = flat[i + 1]
	end
	return out
end

-- The same counts, zeros left out.
local function same(what, stored, counted)
	for k, v in pairs(stored) do
		check(num(v) == num(counted[k]), what, k, 'is', v, 'but there are', tostring(counted[k]))
	end
	for k, v in pairs(counted) do
		check(num(stored[k]) == v, what, k, 'has', tostring(stored[k]), 'of', v)
	end
end

local function add(t, k)
	t[k] = (t[k] or 0) + 1
end

local running, waits, count, waiting = {}, {}, {}, {}
local n = { leases = 0, queued = 0, ['queued:rejudge'] = 0, delayed = 0, rejudging = 0 }

local function check_queued(id, j)
	local list = j.pri == '3' and 'queued:rejudge' or 'queued'
	local where = { u = 'u:' .. j.pri .. '/' .. j.student, delayed = 'delayed',
		held = 'held:' .. j.contest }
	check(where[j.place], id, 'waits at no place')
	for place, key in pairs(where) do
		local there = redis.call('ZSCORE', P .. key, id)
		check((place == j.place) == (there and true or false), id, 'of', tostring(j.place),
			'in', key, tostring(there))
	end
	check(redis.call('ZSCORE', P .. list, id), id, 'is not in', list)
	check(not redis.call('ZSCORE', P .. 'leases', id), id, 'waits and has a lease')
	check(not j.owner, id, 'waits and has an owner')
	n[list] = n[list] + 1
	if j.place == 'u' then
		add(count, j.pri)
		add(waiting, j.pri .. '/' .. j.student)
	elseif j.place == 'delayed' then
		n.delayed = n.delayed + 1
	end
	if j.pri ~= '3' then
		add(waits, j.student)
	end
end

local function check_running(id, j)
	n.leases = n.leases + 1
	check(redis.call('ZSCORE', P .. 'leases', id), id, 'runs without a lease')
	check(j.owner and not j.place, id, 'runs without an owner, or has a place')
	check(num(j.claims) > 0, id, 'runs and was never claimed')
	if j.pri == '3' then
		n.rejudging = n.rejudging + 1
		check(redis.call('SISMEMBER', P .. 'rejudging', id) == 1, id, 'is not in rejudging')
	else
		add(running, j.student)
	end
end

-- What ended without a judge waits for the ledger.
local function check_ended(id, j)
	local member = table.concat({ id, j.rev, j.student, j.contest, j.challenge, j.submitted, j.verdict }, '/')
	check(redis.call('ZSCORE', P .. 'ended', member), id, 'ended and is not told as', member)
end

local function check_final(id, j)
	if j.state ~= 'done' and UNRECORDED then
		check_ended(id, j)
	end
	check(j.state == 'done' or j.state == 'superseded' or j.state == 'cancelled', id, 'is', j.state)
	check(j.verdict and j.done, id, 'is done without a verdict')
	check(not j.owner and not j.cancel and not j.place, id, 'is done and has more to come')
	for _, key in ipairs({ 'leases', 'queued', 'queued:rejudge', 'delayed', 'held:' .. j.contest,
		'u:' .. j.pri .. '/' .. j.student }) do
		check(not redis.call('ZSCORE', P .. key, id), id, 'is done and in', key)
	end
end

-- Events: one for each judging that has ended.
local events = {}
for _, e in ipairs(redis.call('XRANGE', P .. 'results', '-', '+')) do
	local v = {}
	for i = 1, #e[2], 2 do
		v[e[2][i]] = e[2][i + 1]
	end
	add(events, v.id .. '#' .. v.rev)
end

for _, key in ipairs(redis.call('KEYS', P .. 'job:*')) do
	local id = string.sub(key, #P + 5)
	local j = hash('job:' .. id)
	local over = j.state ~= 'queued' and j.state ~= 'running'
	check((redis.call('TTL', key) > 0) == over, id, 'of', j.state, 'has a wrong TTL')
	if j.state == 'queued' then
		check_queued(id, j)
	elseif j.state == 'running' then
		check_running(id, j)
	else
		check_final(id, j)
	end
	for rev = 1, num(j.rev) do
		local expected = (rev < num(j.rev) or over) and 1 or 0
		check(num(events[id .. '#' .. rev]) == expected, id, 'rev', rev, 'has',
			num(events[id .. '#' .. rev]), 'events of', expected)
		events[id .. '#' .. rev] = nil
	end
end
for what in pairs(events) do
	check(false, 'an event of', what, ', which is not there')
end

for name, total in pairs(n) do
	local command = name == 'rejudging' and 'SCARD' or 'ZCARD'
	check(redis.call(command, P .. name) == total, name, 'has', redis.call(command, P .. name), 'of',
		total)
end
same('running', hash('running'), running)
same('waits', hash('waits'), waits)
same('count', hash('count'), count)

-- The fair queue: who is in it, and at which place.
local vt = hash('vt')
for _, key in ipairs(redis.call('KEYS', P .. 'u:*')) do
	local p, student = string.match(string.sub(key, #P + 1), '^u:(%d)/(.+)$')
	check(redis.call('ZCARD', key) == num(waiting[p .. '/' .. student]), key, 'has wrong members')
	local score = redis.call('ZSCORE', P .. 'ready:' .. p, student)
	local full = p ~= '3' and num(running[student]) >= CAP
	check((score and true or false) == not full, student, 'of', p, full and 'is full' or 'may run',
		'and is at', tostring(score))
	if score and not full then
		local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
		local round = math.max(num(vt[p]), num(redis.call('ZSCORE', P .. 'uv:' .. p, student)))
		check(num(score) == round * ROUND + num(first[2]) % ROUND, student, 'is at', score)
	end
end
for p = 0, 3 do
	for _, student in ipairs(redis.call('ZRANGE', P .. 'ready:' .. p, 0, -1)) do
		check(redis.call('EXISTS', P .. 'u:' .. p .. '/' .. student) == 1, student, 'is ready for nothing')
	end
end
for field, id in pairs(hash('latest')) do
	local v = redis.call('HMGET', P .. 'job:' .. id, 'state', 'claims', 'contest', 'student', 'challenge')
	check(v[1] == 'queued' and v[2] == '0', 'latest has', id, 'which is', tostring(v[1]))
	check(field == table.concat({ v[3], v[4], v[5] }, '/'), 'latest has', id, 'under', field)
end
return wrong
