-- SPDX-License-Identifier: MIT
-- ARGV: contest, from (0: the best), count. How many there are, then of each: rank student solved points
-- penalty_s last_ms attempts.
local lb = P .. 'lb:' .. ARGV[1]
local out = { str(redis.call('ZCARD', lb)) }

for _, student in ipairs(redis.call('ZREVRANGE', lb, ARGV[2], str(num(ARGV[2]) + num(ARGV[3]) - 1))) do
	local row = redis.call('HMGET', P .. 'row:' .. ARGV[1] .. '/' .. student, 'solved', 'points',
		'penalty_s', 'last_ms', 'attempts', 'score')

	out[#out + 1] = str(redis.call('ZCOUNT', lb, '(' .. (row[6] or 'inf'), '+inf') + 1)
	out[#out + 1] = student
	for i = 1, 5 do
		out[#out + 1] = row[i] or '0'
	end
end
return out
