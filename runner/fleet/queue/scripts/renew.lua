-- SPDX-License-Identifier: MIT
-- (id fence)...: for each '1', '0' (stale), '-1' (cancelled; it is renewed all the same, for its end) or '2'
-- (it was committed under this fence)
local due = str(now() + LEASE)
even_if_full()
local out = {}
for i = 1, #ARGV - 11, 2 do
	local id = arg(i)
	local v = redis.call('HMGET', job_key(id), 'state', 'fence', 'cancel')
	if v[1] == 'done' and v[2] == arg(i + 1) then
		out[#out + 1] = '2'
	elseif v[1] ~= 'running' or v[2] ~= arg(i + 1) then
		out[#out + 1] = '0'
	else
		redis.call('ZADD', P .. 'leases', due, id)
		out[#out + 1] = v[3] and '-1' or '1'
	end
end
return out
