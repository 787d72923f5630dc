-- SPDX-License-Identifier: MIT
-- ARGV: contest. The time, and who has attempts now.
return { str(now()), redis.call('SMEMBERS', P .. 'who:' .. ARGV[1]) }
