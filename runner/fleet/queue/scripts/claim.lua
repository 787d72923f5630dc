-- SPDX-License-Identifier: MIT
-- worker
-- { 'job', order, fence, ... } or { 'none', ms until a lease or a delay ends, '0': never }
local worker = arg(1)
local us = now_us()
local t = math.floor(us / 1000)
local give = not paused_all()

local function hand_out(id, j, order)
	local fence = str(math.max(num(j.fence) + 1, us))
	local att, claims = num(j.att), num(j.claims)
	if order == 'run' then
		att, claims = att + 1, claims + 1
		redis.call('HDEL', job_key(id), 'dead')
	elseif order == 'give-up' then
		redis.call('HSET', job_key(id), 'dead', 1)
	end
	redis.call('HSET', job_key(id), 'state', 'running', 'owner', worker, 'fence', fence, 'att', att,
		'claims', claims, 'claimed', str(t))
	redis.call('ZADD', P .. 'leases', str(t + LEASE), id)
	say(id, 'state', 'running')
	local v = redis.call('HMGET', job_key(id), 'url', 'sha256', 'traceparent', 'channel')
	return { 'job', order, fence, str(att), j.rev, str(math.max(t - num(j.enqueued), 0)), id, j.student,
		j.contest, j.challenge, v[1] or '', v[2] or '', v[3] or '', str(j.p), j.submitted,
		j.reason or '', v[4] or '' }
end

-- Who runs and who waits, counted anew: of what is buried nobody knows whose it was.
local function recount()
	for _, key in ipairs({ 'running', 'rejudging', 'waits', 'count' }) do
		redis.call('DEL', P .. key)
	end
	for _, id in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
		local j = job(id)
		if j and not j.nameless and j.p == REJUDGE then
			redis.call('SADD', P .. 'rejudging', id)
		elseif j and not j.nameless then
			redis.call('HINCRBY', P .. 'running', j.student, 1)
		end
	end
	for _, key in ipairs({ queued_key(0), queued_key(REJUDGE) }) do
		for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
			local j = job(id)
			if j and not j.nameless and j.p ~= REJUDGE then
				redis.call('HINCRBY', P .. 'waits', j.student, 1)
			end
			if j and not j.nameless and j.place == 'u' then
				redis.call('HINCRBY', P .. 'count', j.p, 1)
			end
		end
	end
	for _, student in ipairs(redis.call('HKEYS', P .. 'waits')) do
		ready_all(student)
	end
end

-- A job whose record is gone, or does not even say whose it is: there can be no result of it, and nobody
-- else is to be held up by it. `key`: where it was met.
local function bury(id, j, key)
	local reason = j and 'its record in Redis is damaged: ' .. j.damaged or 'its record in Redis is gone'
	for _, one in ipairs({ key, P .. 'leases', P .. 'delayed', P .. 'queued', P .. 'queued:rejudge' }) do
		redis.call('ZREM', one, id)
	end
	if j then
		if redis.call('TYPE', job_key(id)).ok ~= 'hash' then
			redis.call('DEL', job_key(id))
		end
		redis.call('HDEL', job_key(id), 'owner', 'place', 'cancel')
		redis.call('HSET', job_key(id), 'state', 'done', 'verdict', 'IE', 'reason', reason, 'done', str(t))
		redis.call('EXPIRE', job_key(id), KEEP)
		say(id, 'state', 'done IE')
	end
	dead_letter(id, reason)
	recount()
end

-- What is wrong with a record that still says whose it is; nil: nothing. What nobody could go on with is
-- made empty, since the job is handed out once more: for its end.
local function damage(id, j)
	local v = redis.call('HMGET', job_key(id), 'url', 'sha256', 'channel')
	local wrong = j.damaged
	if v[2] and v[2] ~= '' and not (#v[2] == 64 and string.find(v[2], '^[0-9a-f]+$')) then
		wrong = 'sha256'
		redis.call('HSET', job_key(id), 'sha256', '')
	end
	if v[3] and v[3] ~= '' and not is_id(v[3]) then
		wrong = 'channel'
		redis.call('HSET', job_key(id), 'channel', '')
	end
	return wrong or (not v[1] and 'url' or nil)
end

local function mend(id, j, wrong)
	j.reason, j.dead = 'its record in Redis is damaged: ' .. wrong, '1'
	j.enqueued = num(j.enqueued) > 0 and j.enqueued or str(t)
	j.submitted = num(j.submitted) > 0 and j.submitted or j.enqueued
	redis.call('HSET', job_key(id), 'reason', j.reason, 'enqueued', j.enqueued, 'submitted', j.submitted,
		'seq', j.seq, 'att', str(math.max(num(j.att), ATTEMPTS)), 'claims', j.claims, 'dead', 1)
	j.att = str(math.max(num(j.att), ATTEMPTS))
end

local function order_of(id, j)
	local wrong = damage(id, j)
	if wrong then
		mend(id, j, wrong)
		return 'give-up'
	end
	return j.cancel and 'cancel'
end

local function to_queue(id, key)
	local j = job(id)
	if not j or j.nameless then
		return bury(id, j, key)
	end
	unplace(id, j)
	redis.call('ZREM', key, id)
	place(id, j, 'u')
end

-- Leases that ran out: back into the queue, as an attempt. What may not run again is handed out for
-- its verdict, one each time; the others of that kind keep their place for the next claim.
local function reap()
	local due = redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', str(t), 'LIMIT', 0, 16)
	local id, j, order
	for _, one in ipairs(due) do
		local k = job(one)
		local last = k and not k.nameless and
			(order_of(one, k) or num(k.att) >= ATTEMPTS and 'give-up')
		if not k or k.nameless then
			bury(one, k, P .. 'leases')
		elseif not last then
			back(one, k, nil, 'its worker was lost')
		elseif not id then
			id, j, order = one, k, last
		end
	end
	if id and give then
		j.reason = j.dead and j.reason or 'its worker was lost'
		redis.call('HSET', job_key(id), 'reason', j.reason)
		return hand_out(id, j, order)
	end
end

local function promote()
	for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'delayed', '-inf', str(t), 'LIMIT', 0, 16)) do
		to_queue(id, P .. 'delayed')
	end
	local contest = redis.call('SRANDMEMBER', P .. 'resuming')
	if not contest then
		return
	end
	local key = P .. 'held:' .. contest
	local held = redis.call('ZRANGE', key, 0, 63)
	for _, id in ipairs(held) do
		to_queue(id, key)
	end
	if #held < 64 then
		redis.call('SREM', P .. 'resuming', contest)
	end
end

local function may_rejudge()
	local running = redis.call('SCARD', P .. 'rejudging')
	return running == 0 or running < math.floor(slots(t) * REJUDGE_PERCENT / 100)
end

-- The first student of the highest priority that has one; nil: nobody.
local function first()
	for p = 0, 3 do
		local one = redis.call('ZRANGE', P .. 'ready:' .. p, 0, 0, 'WITHSCORES')
		if #one > 0 and (p ~= REJUDGE or may_rejudge()) then
			return p, one[1], num(one[2])
		end
	end
end

local function serve(p, student, score, id, j)
	local round = math.floor(score / ROUND)
	redis.call('HSET', P .. 'vt', p, str(round))
	redis.call('ZREMRANGEBYSCORE', P .. 'uv:' .. p, '-inf', str(round))
	redis.call('ZADD', P .. 'uv:' .. p, str(round + 1), student)
	if p == REJUDGE then
		redis.call('SADD', P .. 'rejudging', id)
	else
		redis.call('HINCRBY', P .. 'running', student, 1)
	end
	unwait(id, j)
	if p ~= REJUDGE then
		ready_all(student)
	end
end

-- At most 64 tries: a job of a paused contest is put aside when it is met.
local function pick()
	for _ = 1, 64 do
		local p, student, score = first()
		if not p then
			return nil
		end
		local id = redis.call('ZRANGE', waiting_key(p, student), 0, 0)[1]
		local j = id and job(id)
		if j and (j.p ~= p or j.student ~= student) then
			j.nameless, j.damaged = true, j.damaged or 'it stands in the place of another'
		elseif j and j.state ~= 'queued' then
			j.damaged = 'state'
		end
		if id and (not j or j.nameless) then
			bury(id, j, waiting_key(p, student))
			ready(p, student)
		elseif not id or ready(p, student) == 0 then
			-- the cap was lowered meanwhile
			redis.call('ZREM', P .. 'ready:' .. p, student)
		elseif j.contest ~= '' and redis.call('SISMEMBER', P .. 'paused', j.contest) == 1 then
			unplace(id, j)
			place(id, j, 'held')
		else
			serve(p, student, score, id, j)
			return hand_out(id, j, order_of(id, j) or 'run')
		end
	end
	wake() -- there may be more behind
end

-- While everything is paused, nothing that is due makes a difference.
local function next_due()
	local due = 0
	if not give then
		return 0
	end
	for _, key in ipairs({ 'leases', 'delayed' }) do
		local one = redis.call('ZRANGE', P .. key, 0, 0, 'WITHSCORES')
		if #one > 0 and (due == 0 or num(one[2]) < due) then
			due = num(one[2])
		end
	end
	return due == 0 and 0 or math.max(due - t, 1)
end

local found = reap()
if found then
	return found
end
promote()
found = give and pick()
return found or { 'none', str(next_due()) }
