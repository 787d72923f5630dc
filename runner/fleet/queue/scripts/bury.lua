-- SPDX-License-Identifier: MIT
-- raw reason: a payload of `intake` that makes no sense; '0' if it is no longer there
if redis.call('LREM', P .. 'intake', -1, arg(1)) == 0 then
	return '0'
end
redis.call('XADD', P .. 'dead', 'MAXLEN', '~', 10000, '*', 'kind', 'payload', 'reason', arg(2), 'payload',
	arg(1))
return '1'
