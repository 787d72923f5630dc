-- SPDX-License-Identifier: MIT
-- worker version host slots busy draining token first held: { drain, paused, now, shared }
local t = now()
even_if_full()
local key = P .. 'worker:' .. arg(1)
redis.call('ZADD', P .. 'workers', str(t), arg(1))
redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', str(t - 3600000))
local other = redis.call('HGET', key, 'token')
local shared = arg(8) == '0' and other and other ~= arg(7)
redis.call('HSETNX', key, 'started', str(t))
redis.call('HSET', key, 'version', arg(2), 'host', arg(3), 'slots', arg(4), 'busy', arg(5), 'draining',
	arg(6), 'token', arg(7), 'held', arg(9))
redis.call('EXPIRE', key, 3600)
local drain = redis.call('SISMEMBER', P .. 'drain', arg(1)) == 1 or
	redis.call('SISMEMBER', P .. 'drain', '*') == 1
return { drain and '1' or '0', paused_all() and '1' or '0', str(t), shared and '1' or '0' }
