-- SPDX-License-Identifier: MIT
-- urgent dropped (id rev)...: { queued, waiting, running }; the rev is what it was when it was asked for
local n = { queued = 0, waiting = 0, running = 0, none = 0 }
for i = 3, #ARGV - 11, 2 do
	local what = rejudge(arg(i), arg(i + 1), arg(1) == '1', arg(2) == '1')
	n[what] = n[what] + 1
end
return { str(n.queued), str(n.waiting), str(n.running) }
