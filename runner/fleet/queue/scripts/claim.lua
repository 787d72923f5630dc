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

-- A job without its hash (somebody deleted it): nobody else is to be held up by it.
local function forget(id, key)
	redis.call('ZREM', key, id)
	redis.call('ZREM', P .. 'queued', id)
	redis.call('ZREM', P .. 'queued:rejudge', id)
end

local function to_queue(id, key)
	local j = job(id)
	if not j then
		return forget(id, key)
	end
	unplace(id, j)
	place(id, j, 'u')
end

-- Leases that ran out: back into the queue, as an attempt. What may not run again is handed out for
-- its verdict, one each time; the others of that kind keep their place for the next claim.
local function reap()
	local due = redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', str(t), 'LIMIT', 0, 16)
	local id, j, order
	for _, one in ipairs(due) do
		local k = job(one)
		local last = k and (k.cancel and 'cancel' or num(k.att) >= ATTEMPTS and 'give-up')
		if not k then
			forget(one, P .. 'leases')
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
		if id and not j then
			forget(id, waiting_key(p, student))
			ready(p, student)
		elseif not id or ready(p, student) == 0 then
			-- the cap was lowered meanwhile
			redis.call('ZREM', P .. 'ready:' .. p, student)
		elseif j.contest ~= '' and redis.call('SISMEMBER', P .. 'paused', j.contest) == 1 then
			unplace(id, j)
			place(id, j, 'held')
		else
			serve(p, student, score, id, j)
			return hand_out(id, j, j.cancel and 'cancel' or 'run')
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
