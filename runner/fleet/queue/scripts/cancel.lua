-- SPDX-License-Identifier: MIT
-- id: 'none', 'cancelled', 'cancelling' or 'late'
local id = arg(1)
local j = job(id)
if not j then
	return 'none'
end
even_if_full()
if j.state == 'cancelled' then
	return 'cancelled'
end
-- The ledger may have its result already: only who looks there may end it. And of one that somebody listens
-- to, only who makes the message of its result.
local function has_more_to_come()
	return num(j.claims) > 0 or (redis.call('HGET', job_key(id), 'channel') or '') ~= ''
end
if j.state == 'running' or (j.state == 'queued' and has_more_to_come()) then
	redis.call('HSET', job_key(id), 'cancel', 1)
	return 'cancelling'
end
if j.state ~= 'queued' then
	return 'late'
end
drop(id, j, 'cancelled', 'CANCELLED')
return 'cancelled'
