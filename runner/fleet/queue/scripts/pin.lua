-- SPDX-License-Identifier: MIT
-- id sha256: the one that is pinned
local there = redis.call('HGET', job_key(arg(1)), 'sha256')
if there == '' then
	redis.call('HSET', job_key(arg(1)), 'sha256', arg(2))
end
return (there and there ~= '') and there or arg(2)
