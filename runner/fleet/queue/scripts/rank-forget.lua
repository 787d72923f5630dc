-- SPDX-License-Identifier: MIT
-- ARGV: contest. It is ranked no more.
for _, student in ipairs(redis.call('SMEMBERS', P .. 'who:' .. ARGV[1])) do
	redis.call('DEL', P .. 'att:' .. ARGV[1] .. '/' .. student, P .. 'row:' .. ARGV[1] .. '/' .. student)
end
return redis.call('DEL', P .. 'contest:' .. ARGV[1], P .. 'who:' .. ARGV[1], P .. 'lb:' .. ARGV[1])
