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

# side_by_side COMMAND...: cases that need nothing of each other, and wait more than they work, at
# once: each in a process with a scratch folder of its own ($scratch). What they print comes in
# their order, their tests are counted here; one that is not run to its end has failed.
side_by_side() {
	local top=$scratch n=0 pids=() i line last
	for i; do
		n=$((n + 1))
		scratch=$top/side-$n
		mkdir "$scratch"
		(
			count=0
			eval "$i"
			echo "# all of it was run"
		) >"$scratch.tap" &
		pids+=($!)
	done
	scratch=$top
	wait "${pids[@]}"
	for ((i = 1; i <= n; i++)); do
		last=
		while IFS= read -r line; do
			last=$line
			[ "$line" != "# all of it was run" ] || continue
			if [[ $line =~ ^(ok|not\ ok)\ [0-9]+(\ .*) ]]; then
				count=$((count + 1))
				line="${BASH_REMATCH[1]} $count${BASH_REMATCH[2]}"
			fi
			printf '%s\n' "$line"
		done <"$top/side-$i.tap"
		[ "$last" = "# all of it was run" ] || fail "${!i} is run to its end" "last: $last"
	done
}

# needs_root [WHAT-FOR]: for somebody else the test is skipped.
needs_root() {
	[ "$(id -u)" != 0 ] || return 0
	echo "1..0 # SKIP needs root${1:+, $1}"
	exit 0
}

finish() {
	printf '1..%d\n' $count
}
