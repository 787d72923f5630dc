-- SPDX-License-Identifier: MIT
-- ARGV: contest rules starts ends penalty version, student, began, and a text with a line for each attempt
-- of the student in the ledger: id rev submitted verdict points challenge. What was committed since
-- `began` (the ledger was read after that) is kept, all else of this student is as the ledger has it.
local c = rank_contest({ id = ARGV[1], rules = ARGV[2], starts = ARGV[3], ends = ARGV[4],
	penalty = ARGV[5], version = ARGV[6] }, true)
local student, began = ARGV[7], num(ARGV[8])
local key = P .. 'att:' .. c.id .. '/' .. student
local known = redis.call('HGETALL', key)

for i = 1, #known, 2 do
	local a = rank_attempt(known[i + 1])

	if not a or a.committed < began then
		redis.call('HDEL', key, known[i])
	end
end
for id, rev, submitted, verdict, points, challenge in
	ARGV[9]:gmatch('(%S+) (%d+) (%d+) (%u+) (%d+) (%S+)\n') do
	rank_note(c, student, { id = id, rev = rev, submitted = submitted, verdict = verdict,
		points = points, challenge = challenge }, 0)
end
if redis.call('EXISTS', key) == 0 then
	redis.call('SREM', P .. 'who:' .. c.id, student)
end
rank_row(c, student)
return 0
