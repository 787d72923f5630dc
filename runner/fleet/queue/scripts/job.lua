-- SPDX-License-Identifier: MIT
-- id: all that is known of it, in the order of FIELDS and MORE; {} if it is not there
local MORE = { 'url', 'sha256', 'traceparent', 'owner', 'passed', 'total', 'points', 'max', 'done',
	'receivers', 'channel', 'result' }
local j = job(arg(1))
local out = {}
if not j then
	return out
end
for i, name in ipairs(FIELDS) do
	out[i] = j[name] or ''
end
for _, v in ipairs(redis.call('HMGET', job_key(arg(1)), unpack(MORE))) do
	out[#out + 1] = v or ''
end
return out
