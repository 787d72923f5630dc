# SPDX-License-Identifier: MIT
# TAP for tests that are shell scripts: sourced, then pass, fail or report, and finish at the end.

count=0

pass() {
	count=$((count + 1))
	printf 'ok %d - %s\n' $count "$1"
}

fail() { # NAME DETAIL...
	count=$((count + 1))
	printf 'not ok %d - %s\n' $count "$1"
	shift
	printf '%s\n' "$@" | sed 's/^/# /'
}

report() { # NAME DETAIL: passes if there is no detail
	if [ -z "$2" ]; then
		pass "$1"
	else
		fail "$1" "$2"
	fi
}

finish() {
	printf '1..%d\n' $count
}
