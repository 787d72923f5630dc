-- SPDX-License-Identifier: MIT
-- contest on. What was put aside of a contest that goes on is brought back by claim, some each time.
local contest = arg(1)
if arg(2) == '1' then
	redis.call('SADD', P .. 'paused', contest)
	redis.call('SREM', P .. 'resuming', contest)
elseif redis.call('SREM', P .. 'paused', contest) == 1 then
	if contest ~= '*' then
		redis.call('SADD', P .. 'resuming', contest)
	end
	wake()
end
return 'ok'
