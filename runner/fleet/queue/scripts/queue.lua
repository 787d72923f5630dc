-- SPDX-License-Identifier: MIT
-- The state machine (docs/queue.md has the keys). ARGV starts with the settings, arg() has the rest.
local RUNNING_MAX, WAITING_MAX, DEPTH_MAX = num(ARGV[1]), num(ARGV[2]), num(ARGV[3])
local LEASE, ATTEMPTS, REJUDGE_PERCENT = num(ARGV[4]), num(ARGV[5]), num(ARGV[6])
local KEEP, RETRY = num(ARGV[7]), { num(ARGV[8]), num(ARGV[9]), num(ARGV[10]) }
local SUPERSEDE = ARGV[11] == '1'
local REJUDGE = 3
local ALIVE = 20000 -- a worker that was not heard of for so many ms does not count
-- A place in the order of a priority is round * 2^26 + (number of arrival modulo 2^26), exact below 2^53.
local ROUND = 67108864

-- With maxmemory reached Redis refuses a script whose first write may need memory. What this was called
-- in goes on: it is what runs already, which is to be finished.
local function even_if_full()
	redis.call('ZREM', P .. 'leases', '')
end

local function arg(i)
	return ARGV[11 + i]
end

local function job_key(id)
	return P .. 'job:' .. id
end

local FIELDS = { 'state', 'student', 'contest', 'challenge', 'pri', 'pri0', 'seq', 'att', 'fence',
	'claims', 'rev', 'cancel', 'place', 'enqueued', 'claimed', 'submitted', 'reason', 'verdict', 'dead' }

local function is_id(x)
	return #x <= 64 and string.find(x, '^[%w_.:@-]+$') ~= nil
end

-- What a record must have, each with what stands in for it; the script goes on where it has something else.
-- Without one of NAMES it cannot be said whose it is and what was judged.
local STATES = { queued = true, running = true, done = true, superseded = true, cancelled = true }
local NUMBERS = { 'seq', 'att', 'fence', 'claims', 'enqueued', 'submitted' }
local NAMES = {
	{ 'student', '?', is_id }, { 'challenge', '?', is_id },
	{ 'contest', '', function(x) return x == '' or is_id(x) end },
	{ 'rev', '1', function(x) return #x < 10 and string.find(x, '^[1-9]%d*$') ~= nil end },
	{ 'pri', '2', function(x) return string.find(x, '^[0-3]$') ~= nil end },
}

local function check_record(j)
	if not STATES[j.state or ''] then
		j.state, j.damaged = '?', 'state'
	end
	for _, name in ipairs(NUMBERS) do
		if not j[name] or #j[name] > 16 or not string.find(j[name], '^%d+$') then
			j[name], j.damaged = '0', name
		end
	end
	for _, one in ipairs(NAMES) do
		if not j[one[1]] or not one[3](j[one[1]]) then
			j[one[1]], j.damaged, j.nameless = one[2], one[1], true
		end
	end
end

-- What is not there is nil; nil for a job that is not there. `damaged`: what of its record makes no sense;
-- `nameless`: so much that there can be no result of it. Somebody else has written there, or deleted.
local function job(id)
	local v = redis.pcall('HMGET', job_key(id), unpack(FIELDS))
	local j = {}
	if not v[1] and redis.call('EXISTS', job_key(id)) == 0 then
		return nil
	end
	for i, name in ipairs(FIELDS) do
		j[name] = v[i] or nil
	end
	check_record(j)
	if not is_id(id) then
		j.damaged, j.nameless = 'id', true
	end
	j.p = num(j.pri)
	return j
end

local function bump(key, field, by)
	local n = redis.call('HINCRBY', key, field, by)
	if n <= 0 then
		redis.call('HDEL', key, field)
	end
end

local function say(id, kind, text)
	redis.call('XADD', P .. 'log:' .. id, 'MAXLEN', '~', 500, '*', 'kind', kind, 'text', text)
	redis.call('EXPIRE', P .. 'log:' .. id, 3600)
end

local function waiting_key(p, student)
	return P .. 'u:' .. p .. '/' .. student
end

-- Rejudged jobs are apart: they do not fill the queue for those who submit.
local function queued_key(p)
	return P .. (p == REJUDGE and 'queued:rejudge' or 'queued')
end

-- The round in which a student's first job is: the present one, or the one after the last they had.
local function round_of(p, student)
	return math.max(num(redis.call('HGET', P .. 'vt', p)),
		num(redis.call('ZSCORE', P .. 'uv:' .. p, student)))
end

-- A student is in ready:P if they have a job waiting there and may run one more. 1 if they are.
local function ready(p, student)
	local first = redis.call('ZRANGE', waiting_key(p, student), 0, 0, 'WITHSCORES')
	local full = p ~= REJUDGE and num(redis.call('HGET', P .. 'running', student)) >= RUNNING_MAX
	if #first == 0 or full then
		redis.call('ZREM', P .. 'ready:' .. p, student)
		return 0
	end
	redis.call('ZADD', P .. 'ready:' .. p,
		str(round_of(p, student) * ROUND + num(first[2]) % ROUND), student)
	return 1
end

local function ready_all(student)
	return ready(0, student) + ready(1, student) + ready(2, student)
end

local function wake()
	if redis.call('LLEN', P .. 'wake') < 64 then
		redis.call('RPUSH', P .. 'wake', 1)
	end
end

-- A job of state queued is in one of: u:P/STUDENT (may be handed out), delayed, held:CONTEST.
local function place(id, j, where, score)
	j.place = where
	redis.call('HSET', job_key(id), 'place', where)
	if where == 'u' then
		-- what was begun and is not finished was no turn of the student
		if num(j.claims) > 0 then
			redis.call('ZREM', P .. 'uv:' .. j.p, j.student)
		end
		redis.call('ZADD', waiting_key(j.p, j.student), j.seq, id)
		bump(P .. 'count', j.p, 1)
		ready(j.p, j.student)
		wake()
	elseif where == 'delayed' then
		redis.call('ZADD', P .. 'delayed', str(score), id)
	else
		redis.call('ZADD', P .. 'held:' .. j.contest, j.seq, id)
	end
end

-- From wherever it is, whatever its record says of that.
local function unplace(id, j)
	if redis.call('ZREM', waiting_key(j.p, j.student), id) == 1 then
		bump(P .. 'count', j.p, -1)
		ready(j.p, j.student)
	end
	redis.call('ZREM', P .. 'delayed', id)
	redis.call('ZREM', P .. 'held:' .. j.contest, id)
end

local function latest_field(j)
	return j.contest .. '/' .. j.student .. '/' .. j.challenge
end

-- Into state queued; `due` (ms) or nil: at once.
local function wait(id, j, due)
	redis.call('HSET', job_key(id), 'state', 'queued')
	redis.call('ZADD', queued_key(j.p), j.enqueued, id)
	if j.p ~= REJUDGE then
		bump(P .. 'waits', j.student, 1)
	end
	place(id, j, due and 'delayed' or 'u', due)
end

local function unwait(id, j)
	unplace(id, j)
	redis.call('HDEL', job_key(id), 'place')
	redis.call('ZREM', queued_key(j.p), id)
	if j.p ~= REJUDGE then
		bump(P .. 'waits', j.student, -1)
	end
	if redis.call('HGET', P .. 'latest', latest_field(j)) == id then
		redis.call('HDEL', P .. 'latest', latest_field(j))
	end
end

-- Out of state running: the lease and the student's share are free.
local function unrun(id, j)
	redis.call('ZREM', P .. 'leases', id)
	if j.p == REJUDGE then
		redis.call('SREM', P .. 'rejudging', id)
		return
	end
	bump(P .. 'running', j.student, -1)
	if ready_all(j.student) > 0 then
		wake()
	end
end

local function back(id, j, due, reason)
	redis.call('HSET', job_key(id), 'reason', reason)
	redis.call('HDEL', job_key(id), 'owner')
	unrun(id, j)
	wait(id, j, due)
	say(id, 'state', 'queued')
end

-- The last thing that happens to a judging: one event in the stream, and the job is kept for a while.
local function finish(id, j, state, r)
	redis.call('HSET', job_key(id), 'state', state, 'done', str(now()))
	redis.call('HDEL', job_key(id), 'cancel', 'owner')
	redis.call('EXPIRE', job_key(id), KEEP)
	redis.call('XADD', P .. 'results', 'MAXLEN', '~', 100000, '*', 'id', id, 'student', j.student,
		'contest', j.contest, 'challenge', j.challenge, 'verdict', r.verdict, 'passed', r.passed,
		'total', r.total, 'points', r.points, 'max', r.max, 'rev', j.rev, 'submitted', j.submitted)
	say(id, 'state', 'done ' .. r.verdict)
end

local function dead_letter(id, reason)
	redis.call('XADD', P .. 'dead', 'MAXLEN', '~', 10000, '*', 'kind', 'job', 'id', is_id(id) and id or '?',
		'reason', reason)
end

-- Ends a job that was never claimed, so that the ledger has nothing of this judging: it is told by whoever
-- reads `ended`, where this stays until then. Names have no '/'.
local function drop(id, j, state, verdict)
	unwait(id, j)
	if num(j.rev) > 1 and j.verdict then
		state = 'done' -- what the judging before said stands
	else
		redis.call('HSET', job_key(id), 'verdict', verdict)
	end
	finish(id, j, state,
		{ verdict = verdict, passed = '0', total = '0', points = '0', max = '0' })
	redis.call('ZADD', P .. 'ended', str(now()), table.concat({ id, j.rev, j.student, j.contest,
		j.challenge, j.submitted, verdict }, '/'))
end

-- Judges again what is done: 'queued', or why not: 'waiting', 'running', 'none'.
local function rejudge(id, rev, urgent, dropped)
	local j = job(id)
	if not j or j.damaged or (j.state == 'superseded' and not dropped) then
		return 'none'
	end
	if j.state == 'running' then
		return 'running'
	end
	if j.state == 'queued' or j.rev ~= rev then
		return 'waiting' -- or asked twice
	end
	j.p = urgent and num(j.pri0) or REJUDGE
	j.rev = str(num(j.rev) + 1)
	j.seq = str(redis.call('INCR', P .. 'seq'))
	j.enqueued = str(now())
	redis.call('HSET', job_key(id), 'pri', j.p, 'rev', j.rev, 'seq', j.seq, 'enqueued', j.enqueued,
		'att', 0, 'claims', 0)
	redis.call('HDEL', job_key(id), 'reason', 'dead', 'done', 'receivers', 'unheard')
	redis.call('ZREM', P .. 'unheard', id)
	redis.call('PERSIST', job_key(id))
	wait(id, j, nil)
	say(id, 'state', 'queued')
	return 'queued'
end

-- Slots of the workers that are alive and take jobs; how many workers; how many of the slots are busy.
local function slots(t)
	local n, workers, busy = 0, 0, 0
	for _, w in ipairs(redis.call('ZRANGEBYSCORE', P .. 'workers', str(t - ALIVE), '+inf')) do
		local v = redis.call('HMGET', P .. 'worker:' .. w, 'slots', 'busy', 'draining')
		if v[3] ~= '1' then
			n, workers, busy = n + num(v[1]), workers + 1, busy + num(v[2])
		end
	end
	return n, workers, busy
end

-- The median of what jobs took lately, ms.
local function p50()
	local times = redis.call('LRANGE', P .. 'recent', 0, -1)
	for i, v in ipairs(times) do
		times[i] = num(v)
	end
	table.sort(times)
	return times[math.ceil(#times / 2)] or 0
end

local function paused_all()
	return redis.call('SISMEMBER', P .. 'paused', '*') == 1
end
