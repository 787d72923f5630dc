-- SPDX-License-Identifier: MIT
-- id kind text
say(arg(1), arg(2), arg(3))
return 'ok'
