-- SPDX-License-Identifier: MIT
-- id fence counts reason: 'requeued', 'dead' or 'fenced'
local id, counts, reason = arg(1), arg(3) == '1', arg(4)
local j = job(id)
if not j or j.state ~= 'running' or j.fence ~= arg(2) then
	return 'fenced'
end
even_if_full()
if j.dead or (counts and num(j.att) >= ATTEMPTS) then
	-- asked once more after a lost answer, it is the same
	redis.call('HSET', job_key(id), 'dead', 1, 'reason', j.dead and j.reason or reason)
	redis.call('ZADD', P .. 'leases', str(now() + LEASE), id)
	return 'dead'
end
if counts then
	back(id, j, now() + RETRY[math.min(math.max(num(j.att), 1), 3)], reason)
else
	redis.call('HSET', job_key(id), 'att', str(math.max(num(j.att) - 1, 0)))
	back(id, j, nil, j.reason or '')
end
return 'requeued'
