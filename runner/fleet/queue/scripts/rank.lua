-- SPDX-License-Identifier: MIT
-- The rank of a student in a contest, from all attempts: docs/ranking.md has the rules. Each attempt is
-- kept by the id of its submission, and everything is computed anew from them without regard to their
-- order, so what comes twice, late, or is judged again cannot make a difference.
--
--   contest:<contest>         HASH  rules starts_ms ends_ms penalty_s version
--   att:<contest>/<student>   HASH  submission -> "rev submitted verdict points challenge committed"
--   who:<contest>             SET   students who have attempts
--   row:<contest>/<student>   HASH  what the score is made of
--   lb:<contest>              ZSET  student -> score; at most 2^53 - 1, so a double holds it exactly

-- These judge nothing: what was judged before stands.
local RANK_NO_VERDICT = { IE = true, CANCELLED = true, SUPERSEDED = true }

local function rank_field(value, bits)
	return math.min(value, 2 ^ bits - 1)
end

-- Less is better.
local function rank_inverse(value, bits)
	return 2 ^ bits - 1 - rank_field(value, bits)
end

-- solved (10 bits), minutes of penalty (23), minute of the last accepted (20)
local function rank_score_icpc(row, starts)
	local last = row.last > 0 and math.floor((row.last - starts) / 60000) or 0

	return rank_field(row.solved, 10) * 2 ^ 43
		+ rank_inverse(math.floor(row.penalty / 60), 23) * 2 ^ 20
		+ rank_inverse(last, 20)
end

-- thousandths of points (26 bits), seconds of penalty (27)
local function rank_score_points(row)
	return rank_field(row.points, 26) * 2 ^ 27 + rank_inverse(row.penalty, 27)
end

local function rank_attempt(value)
	local rev, submitted, verdict, points, challenge, committed =
		value:match('^(%d+) (%d+) (%u+) (%d+) (%S+) (%d+)$')

	return rev and {
		rev = num(rev), submitted = num(submitted), verdict = verdict, points = num(points),
		challenge = challenge, committed = num(committed),
	}
end

-- Those that count, by challenge.
local function rank_problems(c, student)
	local problems = {}

	for _, value in ipairs(redis.call('HVALS', P .. 'att:' .. c.id .. '/' .. student)) do
		local a = rank_attempt(value)

		if a and a.verdict ~= 'CE' and a.submitted >= c.starts and a.submitted < c.ends then
			problems[a.challenge] = problems[a.challenge] or {}
			table.insert(problems[a.challenge], a)
		end
	end
	return problems
end

-- `at`: when what counts was submitted, 0 if nothing does; `fails`: what was submitted before that.
local function rank_problem(c, attempts)
	local p = { points = 0, solved = false, at = 0, fails = 0, penalty = 0, attempts = #attempts }
	local first

	for _, a in ipairs(attempts) do
		p.points = math.max(p.points, a.points)
		p.solved = p.solved or a.verdict == 'AC'
	end
	for _, a in ipairs(attempts) do
		local hit = a.points == p.points and p.points > 0

		if c.rules == 'icpc' then
			hit = a.verdict == 'AC'
		end
		if hit and (not first or a.submitted < first) then
			first = a.submitted
		end
	end
	for _, a in ipairs(attempts) do
		if not first or a.submitted < first then
			p.fails = p.fails + 1
		end
	end
	if first then
		local unit = c.rules == 'icpc' and 60 or 1

		p.at = first
		p.penalty = math.floor((first - c.starts) / (1000 * unit)) * unit + p.fails * c.penalty
	end
	return p
end

local function rank_problem_json(p)
	return '{"solved":' .. tostring(p.solved) .. ',"points":' .. str(p.points) .. ',"attempts":'
		.. str(p.attempts) .. ',"fails":' .. str(p.fails) .. ',"at_ms":' .. str(p.at)
		.. ',"penalty_s":' .. str(p.penalty) .. '}'
end

-- Writes row: and lb: anew.
local function rank_row(c, student)
	local key = P .. 'row:' .. c.id .. '/' .. student
	local row = { solved = 0, points = 0, penalty = 0, last = 0, attempts = 0 }

	redis.call('DEL', key)
	for challenge, attempts in pairs(rank_problems(c, student)) do
		local p = rank_problem(c, attempts)

		row.solved = row.solved + (p.solved and 1 or 0)
		row.points = row.points + p.points
		row.penalty = row.penalty + p.penalty
		row.last = math.max(row.last, p.at)
		row.attempts = row.attempts + p.attempts
		redis.call('HSET', key, 'c:' .. challenge, rank_problem_json(p))
	end
	if row.attempts == 0 then
		redis.call('ZREM', P .. 'lb:' .. c.id, student)
		return
	end

	local score = str(c.rules == 'icpc' and rank_score_icpc(row, c.starts) or rank_score_points(row))

	redis.call('HSET', key, 'rules', c.rules, 'score', score, 'solved', str(row.solved),
		'points', str(row.points), 'penalty_s', str(row.penalty), 'last_ms', str(row.last),
		'attempts', str(row.attempts))
	redis.call('ZADD', P .. 'lb:' .. c.id, score, student)
end

-- The contest of the highest version that was ever named, or this one where it is forced.
local function rank_contest(c, force)
	local key = P .. 'contest:' .. c.id
	local known = redis.call('HMGET', key, 'rules', 'starts_ms', 'ends_ms', 'penalty_s', 'version')

	if not force and known[5] and num(known[5]) > num(c.version) then
		c = { id = c.id, rules = known[1], starts = known[2], ends = known[3], penalty = known[4] }
	elseif force or known[5] ~= c.version then
		redis.call('HSET', key, 'rules', c.rules, 'starts_ms', c.starts, 'ends_ms', c.ends,
			'penalty_s', c.penalty, 'version', c.version)
	end
	return { id = c.id, rules = c.rules, starts = num(c.starts), ends = num(c.ends),
		penalty = num(c.penalty) }
end

-- `committed` 0: from the ledger.
local function rank_note(c, student, a, committed)
	local key = P .. 'att:' .. c.id .. '/' .. student
	local known = redis.call('HGET', key, a.id)

	known = known and rank_attempt(known)
	if RANK_NO_VERDICT[a.verdict] or (known and known.rev >= num(a.rev)) then
		return
	end
	redis.call('HSET', key, a.id, str(num(a.rev)) .. ' ' .. str(num(a.submitted)) .. ' ' .. a.verdict
		.. ' ' .. str(num(a.points)) .. ' ' .. a.challenge .. ' ' .. str(committed))
	redis.call('SADD', P .. 'who:' .. c.id, student)
end

-- What commit.lua calls: `c` the contest, `a` the attempt, all members strings.
local function rank_recompute(c, a)
	local contest = rank_contest(c, false)

	rank_note(contest, a.student, a, now())
	rank_row(contest, a.student)
end
