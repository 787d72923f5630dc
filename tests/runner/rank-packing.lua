-- SPDX-License-Identifier: MIT
-- Behind common.lua and rank.lua: do scores order rows as their keys do, and does Redis keep them exactly?
-- All pairs of rows at the limits, and ARGV[1] pairs at random. Answers how many were compared, and up to
-- five that were wrong.
local LB = P .. 'packing'
local compared, wrong = 0, {}

-- Keys, the most important first: all the more the better.
local RULES = {
	icpc = {
		limits = { 2 ^ 10 - 1, 2 ^ 23 - 1, 2 ^ 20 - 1 },
		score = function(k)
			return rank_score_icpc({ solved = k[1], penalty = k[2] * 60 + 59 * (k[1] % 2),
				last = 60000 + k[3] * 60000 + 59999 }, 60000)
		end,
	},
	points = {
		limits = { 2 ^ 26 - 1, 2 ^ 27 - 1 },
		score = function(k)
			return rank_score_points({ points = k[1], penalty = k[2] })
		end,
	},
}

local function sign(n)
	return n > 0 and 1 or n < 0 and -1 or 0
end

local function order(a, b)
	if a[1] ~= b[1] then
		return sign(a[1] - b[1])
	end
	for i = 2, #a do
		if a[i] ~= b[i] then
			return sign(b[i] - a[i])
		end
	end
	return 0
end

local function compare(name, a, b)
	local x, y = RULES[name].score(a), RULES[name].score(b)

	compared = compared + 1
	if (sign(x - y) ~= order(a, b) or x < 0 or x > 2 ^ 53 - 1) and #wrong < 5 then
		wrong[#wrong + 1] = name .. ' ' .. table.concat(a, ',') .. ' ' .. table.concat(b, ',')
			.. ' ' .. str(x) .. ' ' .. str(y)
	end
end

-- As rank_row() hands it in, and as everybody reads it.
local function kept(name, a)
	local score = str(RULES[name].score(a))

	redis.call('ZADD', LB, score, 'x')
	if redis.call('ZSCORE', LB, 'x') ~= score or redis.call('ZCOUNT', LB, '(' .. score, '+inf') ~= 0
		or redis.call('ZCOUNT', LB, score, score) ~= 1 then
		wrong[#wrong + 1] = name .. ' is kept as ' .. tostring(redis.call('ZSCORE', LB, 'x'))
			.. ' for ' .. score
	end
end

local function at_limits(limits, i)
	if i > #limits then
		return { {} }
	end
	local rows = {}
	for _, rest in ipairs(at_limits(limits, i + 1)) do
		for _, v in ipairs({ 0, 1, 2, math.floor(limits[i] / 2), limits[i] - 1, limits[i] }) do
			rows[#rows + 1] = { v, unpack(rest) }
		end
	end
	return rows
end

for name, rule in pairs(RULES) do
	local rows = at_limits(rule.limits, 1)
	for _, a in ipairs(rows) do
		kept(name, a)
		for _, b in ipairs(rows) do
			compare(name, a, b)
		end
	end
end

math.randomseed(1)
local function any(limits, near)
	local row = {}
	for i, limit in ipairs(limits) do
		row[i] = near and math.random() < 0.7 and near[i] or math.floor(math.random() * (limit + 1))
	end
	return row
end
for i = 1, tonumber(ARGV[1]) do
	local name = i % 2 == 0 and 'icpc' or 'points'
	local a = any(RULES[name].limits)
	compare(name, a, any(RULES[name].limits, a))
end

-- Beyond the limits nobody comes out better than at them.
if rank_score_icpc({ solved = 2000, penalty = 0, last = 0 }, 0) ~= 2 ^ 53 - 1
	or rank_score_points({ points = 2 ^ 40, penalty = 0 }) ~= 2 ^ 53 - 1
	or rank_score_points({ points = 0, penalty = 2 ^ 40 }) ~= 0
	or rank_score_icpc({ solved = 0, penalty = 2 ^ 40, last = 2 ^ 45 }, 0) ~= 0 then
	wrong[#wrong + 1] = 'beyond the limits'
end
redis.call('DEL', LB)
return { compared, unpack(wrong) }
