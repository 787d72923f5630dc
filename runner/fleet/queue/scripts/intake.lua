-- SPDX-License-Identifier: MIT
-- max bytes; KEYS[2] is the producers' list. Moves to `intake` what fits and returns the `max` oldest
-- there, oldest first: they stay until enqueue or bury takes them out. What is too long to be a payload
-- is a dead letter at once, so that it is not sent around.
local max, bytes = num(arg(1)), num(arg(2))
local key = P .. 'intake'
if redis.call('ZCARD', P .. 'queued') >= DEPTH_MAX then
	return {}
end
for _ = redis.call('LLEN', key) + 1, max do
	if not redis.call('LMOVE', KEYS[2], key, 'RIGHT', 'LEFT') then
		break
	end
end
local items = redis.call('LRANGE', key, -max, -1)
local out = {}
for i = #items, 1, -1 do
	if #items[i] > bytes then
		redis.call('LREM', key, -1, items[i])
		redis.call('XADD', P .. 'dead', 'MAXLEN', '~', 10000, '*', 'kind', 'payload', 'reason',
			'it has ' .. #items[i] .. ' bytes, more than ' .. bytes, 'cut', 1, 'payload',
			string.sub(items[i], 1, 256))
	else
		out[#out + 1] = items[i]
	end
end
return out
