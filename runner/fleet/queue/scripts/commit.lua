-- SPDX-License-Identifier: MIT
-- id fence rev verdict passed total points max json channel message rules starts ends penalty version
-- reason, rev and submitted of the result (the ledger may know more than we: see slot-commit.c)
-- { 'committed' | 'already' | 'fenced', receivers }
local id = arg(1)
local r = { verdict = arg(4), passed = arg(5), total = arg(6), points = arg(7), max = arg(8) }
local channel, message = arg(10), arg(11)
local j = job(id)
local t = now()

if not j then
	return { 'fenced', '0' }
end
if j.state == 'done' and j.rev == arg(18) then
	return { 'already', redis.call('HGET', job_key(id), 'receivers') or '0' }
end
if j.state ~= 'running' or j.fence ~= arg(2) or j.rev ~= arg(3) then
	return { 'fenced', '0' }
end
unrun(id, j)
j.rev, j.submitted = arg(18), arg(19)
redis.call('HSET', job_key(id), 'rev', j.rev, 'submitted', j.submitted, 'verdict', r.verdict, 'passed', r.passed,
	'total', r.total, 'points', r.points, 'max', r.max, 'result', arg(9))
if arg(12) ~= 'none' and j.contest ~= '' then
	-- a key of the rank that somebody has written to holds up no result
	local ok, why = pcall(rank_recompute, { id = j.contest, rules = arg(12), starts = arg(13), ends = arg(14),
		penalty = arg(15), version = arg(16) }, { id = id, student = j.student, challenge = j.challenge,
		submitted = j.submitted, verdict = r.verdict, passed = r.passed, total = r.total,
		points = r.points, max = r.max, rev = j.rev })
	if not ok then
		why = tostring(type(why) == 'table' and why.err or why)
		dead_letter(id, string.sub('it is not ranked, see admin rank rebuild: ' .. why, 1, 200))
	end
end
finish(id, j, 'done', r)
if r.verdict == 'IE' then
	local reason = arg(17) ~= '' and arg(17) or j.reason or ''
	redis.call('HSET', job_key(id), 'reason', reason)
	dead_letter(id, reason)
end
if not j.dead and r.verdict ~= 'CANCELLED' then
	redis.call('LPUSH', P .. 'recent', str(math.max(t - num(j.claimed), 0)))
	redis.call('LTRIM', P .. 'recent', 0, 100)
end
if channel == '' then
	return { 'committed', '0' }
end
-- last, so that who hears it finds everything done
local heard = redis.call('PUBLISH', channel, message)
redis.call('HSET', job_key(id), 'receivers', heard)
if heard == 0 then
	redis.call('HSET', job_key(id), 'unheard', channel .. ' ' .. message)
	redis.call('ZADD', P .. 'unheard', str(t + 250), id)
end
return { 'committed', str(heard) }
