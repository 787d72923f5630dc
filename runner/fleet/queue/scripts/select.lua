-- SPDX-License-Identifier: MIT
-- challenge contest student (id)...: those that are of all three ('*': any), as id rev state ...
local out = {}
for i = 4, #ARGV - 11 do
	local j = job(arg(i))
	if j and (arg(1) == '*' or j.challenge == arg(1)) and (arg(2) == '*' or j.contest == arg(2)) and
		(arg(3) == '*' or j.student == arg(3)) then
		out[#out + 1] = arg(i)
		out[#out + 1] = j.rev
		out[#out + 1] = j.state
	end
end
return out
