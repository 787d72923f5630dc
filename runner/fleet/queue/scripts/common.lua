-- SPDX-License-Identifier: MIT
-- The head of every script. KEYS[1] is the prefix of all keys, and is there so that a proxy of a cluster
-- knows the slot: the prefix has a hash tag, so every key that is built from it is in the same slot.
-- The names cannot all be in KEYS, because which student is served is found out in here.
--
-- A number above 2^53 is none; `..` and tostring() print 14 digits. So: str() for what may be long.
local P = KEYS[1]

local function num(x)
	return tonumber(x) or 0
end

local function str(n)
	return string.format('%.0f', n)
end

local function now_us()
	local t = redis.call('TIME')
	return t[1] * 1000000 + t[2]
end

local function now()
	return math.floor(now_us() / 1000)
end
