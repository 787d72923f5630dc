-- SPDX-License-Identifier: MIT
-- entry: '1'; '0' there is none, or nothing can be made of it
local entry = redis.call('XRANGE', P .. 'dead', arg(1), arg(1))[1]
local v = {}
if not entry then
	return '0'
end
for i = 1, #entry[2], 2 do
	v[entry[2][i]] = entry[2][i + 1]
end
if v.kind == 'payload' then
	if v.cut then
		return '0'
	end
	redis.call('RPUSH', P .. 'intake', v.payload)
else
	local j = job(v.id)
	if not j or rejudge(v.id, j.rev, true, false) == 'none' then
		return '0'
	end
end
redis.call('XDEL', P .. 'dead', arg(1))
return '1'
