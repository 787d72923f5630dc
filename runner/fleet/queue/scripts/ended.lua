-- SPDX-License-Identifier: MIT
-- max entry why: takes `entry` ('': none) out of what has ended without a judge, with a dead letter if there
-- is a `why`, and returns the `max` oldest that are left.
local max, entry, why = num(arg(1)), arg(2), arg(3)
if entry ~= '' and redis.call('ZREM', P .. 'ended', entry) == 1 and why ~= '' then
	dead_letter(string.match(entry, '^[^/]*'), why)
end
return max > 0 and redis.call('ZRANGE', P .. 'ended', 0, max - 1) or {}
