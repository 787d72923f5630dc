-- SPDX-License-Identifier: MIT
-- id: { position, depth, eta }; {} if it is not there
local j = job(arg(1))
if not j then
	return {}
end
if j.state ~= 'queued' then
	return { '0', str(redis.call('ZCARD', P .. 'queued')), '0' }
end
return place_of(arg(1), j, now())
