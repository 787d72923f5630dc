#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In the guest, as an ordinary user: where a caller can sit in the control groups of a systemd host,
# and what jails are limited by there. Prints TAP.
# Usage: delegation.sh delegated | session
#   delegated   in a group below one that was delegated to the user
#   session     in a group of root's, where a login by ssh leaves one
build=${SANDBOX_BUILD:?}
. "$build/tests/tap.sh"
json=$(mktemp)
err=$(mktemp)
before=$(mktemp)
trap 'rm -f "$json" "$err" "$before"' EXIT

own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
delegated=$(dirname "$own")
hog=(tail /dev/zero)

jail() { # OPTION... -- COMMAND...
	: >"$json"
	"$build/runner/sandbox-run" exec --json="$json" "$@" >/dev/null 2>"$err" </dev/null
}

# Runs a command in GROUP, alone there, as `systemd-run --scope` does.
alone_in() { # GROUP COMMAND...
	local group=$1
	shift
	(
		echo "$BASHPID" >"$group/cgroup.procs" || exit 99
		exec "$@"
	)
}

says() { # WORD...: prints the result unless it has these members
	local word
	for word in "$@"; do
		grep -qF "$word" "$json" || {
			printf 'no %s in this result:\n' "$word"
			cat "$json" "$err"
			return
		}
	done
}

# The kernel ends what is too large, by the limits of v2 and not by any other.
limits_hold() { # NAME COMMAND-PREFIX...
	local name=$1
	shift
	: >"$json"
	"$@" "$build/runner/sandbox-run" exec --json="$json" --memory 160M --disk 8M --pids 20 \
		--cpu 0.8 -- "${hog[@]}" >/dev/null 2>"$err" </dev/null
	report "$name" "$(says '"verdict":"memory"' '"memory":"cgroup2"' '"pids":"cgroup2"' \
		'"cpu":"cgroup2"')"
}

group() { # NAME: a new one below the delegated, as the manager of the user makes it
	echo '+cpu +memory +pids' >"$delegated/cgroup.subtree_control"
	mkdir -p "$delegated/$1"
	echo '+cpu +memory +pids' >"$delegated/$1/cgroup.subtree_control"
	echo "$delegated/$1"
}

jail_groups() {
	find "$delegated" -path '*/sandbox*/*.*' -type d # the library names them TOKEN.NUMBER.LABEL
}

delegated() {
	jail_groups >"$before"
	limits_hold "a caller in a leaf below the delegated group" env

	# systemd-run --user --scope -p Delegate=yes
	local slice scope
	slice=$(group app.slice)
	scope=$slice/run-1.scope
	mkdir -p "$scope"
	setfattr -n user.delegate -v 1 "$scope"
	limits_hold "a caller alone in its scope" alone_in "$scope"
	report "it moved to a leaf of the scope" \
		"$([ -d "$scope/sandbox-caller" ] || find "$delegated" -type d)"
	limits_hold "the next in the same scope" alone_in "$scope/sandbox-caller"

	# A terminal window: the user's own group, which the shell and its jobs share.
	mkdir -p "$slice/terminal.scope"
	echo $$ >"$slice/terminal.scope/cgroup.procs"
	limits_hold "a caller beside its shell, where the user's manager gives controllers" env
	echo $$ >"$own/cgroup.procs"

	report "no jail's group is left" "$(jail_groups | grep -vxFf "$before")"
}

session() {
	jail --memory 400M -- /bin/true
	report "a memory limit without a delegated group is refused" \
		"$(says '"status":125' '"errno":95' '"item":"memory"')"
	report "the remedy is named" \
		"$(grep -q 'systemd-run --user --scope -p Delegate=yes' "$err" || cat "$err")"
	jail --allow-unenforced memory,swap,cpu,cpu-time --memory 400M -- /bin/true
	report "asked to, jails go without, and the result says so" \
		"$(says '"verdict":"exited"' '"memory":"none"' '"unenforced"')"
}

"${1:?}"
finish
