-- SPDX-License-Identifier: MIT
-- id student contest challenge url sha256 traceparent priority submitted channel raw
-- `raw` is the payload as it stands in the list `intake`, '' if it did not come that way. It is taken
-- out there in the same step. Of what came through a list nobody hears a refusal: the student's cap
-- does not hold for it (supersede bounds it), and when the queue is full it stays where it is.
local id, raw = arg(1), arg(11)
local t = now()
local j = { student = arg(2), contest = arg(3), challenge = arg(4), p = num(arg(8)), rev = '1' }

local function taken()
	if raw ~= '' then
		redis.call('LREM', P .. 'intake', -1, raw)
	end
end

-- The student's newest submission of the same challenge that only waits, if there is one.
local newest = redis.call('HGET', P .. 'latest', latest_field(j))
local waiting = newest and job(newest)
if waiting and (waiting.state ~= 'queued' or waiting.damaged) then
	waiting = nil
end

local function older()
	if SUPERSEDE and waiting and num(waiting.submitted) <= num(j.submitted) then
		return newest, waiting
	end
end

local function refuse(what)
	local n, median = slots(t), p50()
	local after = 5000
	if n > 0 and median > 0 then
		after = math.ceil(redis.call('ZCARD', P .. 'queued') / 20 / n) * median
	end
	return { what, '', '0', str(redis.call('ZCARD', P .. 'queued')), '0',
		str(math.min(math.max(after, 1000), 60000)) }
end

if redis.call('EXISTS', job_key(id)) == 1 then
	local known = job(id)
	local at = known.state == 'queued' and place_of(id, known, t) or
		{ '0', str(redis.call('ZCARD', P .. 'queued')), '0' }
	taken()
	return { 'duplicate', '', at[1], at[2], at[3], '0' }
end

local submitted = num(arg(9))
j.submitted = str((submitted == 0 or submitted > t) and t or submitted)
local before, b = older()
if not before then
	if redis.call('ZCARD', P .. 'queued') >= DEPTH_MAX then
		return refuse('full')
	end
	if raw == '' and num(redis.call('HGET', P .. 'waits', j.student)) >= WAITING_MAX then
		return refuse('student-full')
	end
end
taken()
if before then
	drop(before, b, 'superseded', 'SUPERSEDED')
end
j.seq = str(redis.call('INCR', P .. 'seq'))
j.enqueued = str(t)
redis.call('HSET', job_key(id), 'student', j.student, 'contest', j.contest, 'challenge', j.challenge,
	'url', arg(5), 'sha256', arg(6), 'traceparent', arg(7), 'channel', arg(10), 'pri', j.p,
	'pri0', j.p, 'submitted', j.submitted, 'seq', j.seq, 'enqueued', j.enqueued, 'att', 0, 'claims', 0,
	'fence', 0, 'rev', 1)
-- a job that is put in as one to be judged again ends as such, but later ones do not
if j.p == REJUDGE then
	redis.call('HSET', job_key(id), 'pri0', 2)
elseif SUPERSEDE and (before or not waiting) then
	redis.call('HSET', P .. 'latest', latest_field(j), id)
end
wait(id, j, nil)
say(id, 'state', 'queued')
local at = place_of(id, j, t)
return { 'accepted', before or '', at[1], at[2], at[3], '0' }
