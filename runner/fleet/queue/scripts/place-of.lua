-- SPDX-License-Identifier: MIT
-- Which number in the order of service a waiting job has, if nothing else comes: what is of higher
-- priority, and of the same one what has an earlier place (round, arrival). Exact for 200 students of
-- earlier rounds, after that one job each is assumed; nobody's running jobs are taken into account.
local function position(id, j)
	local n, p = 1, j.p
	local seq = num(j.seq) % ROUND
	local mine = num(redis.call('ZRANK', waiting_key(p, j.student), id))
	local round = round_of(p, j.student) + mine
	local before = '(' .. str(round * ROUND)
	local key = P .. 'ready:' .. p
	for higher = 0, p - 1 do
		n = n + num(redis.call('HGET', P .. 'count', higher))
	end
	-- of the same round: one job each, for the next ones are of later rounds
	n = n + redis.call('ZCOUNT', key, str(round * ROUND), '(' .. str(round * ROUND + seq))
	local earlier = redis.call('ZRANGEBYSCORE', key, '-inf', before, 'WITHSCORES', 'LIMIT', 0, 200)
	for i = 1, #earlier, 2 do
		if earlier[i] ~= j.student then
			local q = waiting_key(p, earlier[i])
			local ahead = round - math.floor(num(earlier[i + 1]) / ROUND)
			local same = redis.call('ZRANGE', q, ahead, ahead, 'WITHSCORES')
			if #same > 0 and num(same[2]) % ROUND < seq then
				ahead = ahead + 1
			end
			n = n + math.min(redis.call('ZCARD', q), ahead)
		end
	end
	if #earlier == 400 then
		n = n + redis.call('ZCOUNT', key, '-inf', before) - 200
	end
	return n + mine
end

-- { position, depth, ms until its result }
local function place_of(id, j, t)
	local at = position(id, j)
	local n, median = slots(t), p50()
	local eta = n > 0 and math.ceil(at / n) * median or 0
	return { str(at), str(redis.call('ZCARD', P .. 'queued')), str(eta) }
end
