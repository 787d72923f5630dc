#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In the guest, after all programs of a lane: what they left behind. Prints TAP.
build=${SANDBOX_BUILD:?}
. "$build/tests/tap.sh"

# Whoever makes jails next removes the groups of callers that were killed.
"$build/runner/sandbox-run" exec -- /bin/true ||
	fail "a jail can be made after all that" "exit status $?"

report "no process of a jail is left" "$(pgrep -af '^(/probe|sandbox-(init|relay|holder))')"
report "no jail's control group is left" "$(find /sys/fs/cgroup -path '*/sandbox*/*.*' -type d)"
report "no mount is left" "$(grep -E ' - (overlay|tmpfs) ' /proc/self/mountinfo |
	grep -vE ' (/run|/tmp|/dev/shm) ')"
report "no file is left in /tmp" "$(find /tmp -mindepth 1 ! -name stderr)"
finish
