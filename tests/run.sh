#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Installs what the tests need, builds, runs the suites and counts.
# Usage: tests/run.sh [SUITE...]     all without arguments
#
#   unit      no jails: parsers, compilers, simulators
#   abi       header, symbols, layout, manuals, completions
#   jail      the library on this host, as root and as an ordinary user
#   pipeline  sandbox-run, with submissions of many kinds
#   suites    test suites in JavaScript: the fast way and the real runners
#   runner    sandbox-runner, with private Redis and Postgres servers
#   isolate   sandbox-isolate
#   judges    the examples for authors of other judges, in four languages
#   vm        the jail suite in a guest with cgroup v2, as root and as an ordinary user
#
# Every test is a program that prints TAP. With SANDBOX_TESTS_MUST_RUN=1 a skipped test has failed.
#
# Several run at once, for most of them wait more than they work: SANDBOX_TESTS_LANES (as many as
# there are processors, at most 4). Some do not, and come last, one after another: those that have
# limits of time for all that the host can do ("# quiet: why" in the script's head), and those that
# count what is left on the whole host, where what others have in use would be counted, too (the
# suites jail and isolate, "# alone: why"). Beside the latter is the guest, which has jails of its
# own.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
root=$PWD

all=(unit abi jail pipeline suites runner isolate judges vm)
suites=("$@")
[ $# -gt 0 ] || suites=("${all[@]}")
for suite in "${suites[@]}"; do
	[[ " ${all[*]} " = *" $suite "* ]] || {
		echo "tests/run.sh: there is no suite '$suite'; suites: ${all[*]}" >&2
		exit 2
	}
done
processors=$(nproc)
lanes=${SANDBOX_TESTS_LANES:-$((processors < 4 ? processors : 4))}

examples/setup.sh --tests || {
	echo "0 passed, 1 failed"
	exit 1
}

passed=0 failed=0 skipped=0
work=$(mktemp -d)
names=() begun=()    # of each program that was started
declare -A running=() # PID: its number
trap 'rm -rf "$work"' EXIT
trap 'trap "" INT TERM; kill "${!running[@]}" 2>/dev/null; wait; exit 130' INT TERM

start() { # TEST: a program of a suite
	local n=${#names[@]}
	names+=("$(basename "$(dirname "$1")")/$(basename "$1")")
	begun+=("$SECONDS")
	env --default-signal=INT,QUIT CMOCKA_MESSAGE_OUTPUT=TAP SANDBOX_BUILD="$root/build" \
		SANDBOX_SOURCE="$root" SANDBOX_PROBE="$root/build/tests/jail/probe" \
		timeout 1500 "$1" </dev/null >"$work/$n.out" 2>"$work/$n.err" &
	running[$!]=$n
}

# One that has ended: its output is shown, its TAP counted; a plan that is not met is a failure too.
count() { # NUMBER STATUS
	local name=${names[$1]} out=$work/$1.out status=$2 ok not_ok skip plan
	echo "# $name"
	cat "$out"
	ok=$(grep -cE '^ok\b' "$out")
	skip=$(grep -cE '^ok\b.*# *[Ss][Kk][Ii][Pp]' "$out")
	not_ok=$(grep -cE '^not ok\b' "$out")
	plan=$(sed -nE 's/^1\.\.([0-9]+).*/\1/p' "$out" | head -1)
	if [ -z "$plan" ] || [ "$plan" != $((ok + not_ok)) ] ||
		{ [ "$status" != 0 ] && [ "$not_ok" = 0 ]; }; then
		echo "not ok - $name: exit status $status, ${plan:-no} tests planned," \
			"$((ok + not_ok)) reported"
		not_ok=$((not_ok + 1))
	fi
	[ "$not_ok" = 0 ] || sed 's/^/# stderr: /' "$work/$1.err" | tail -60
	echo "# $name: $((ok + not_ok)) tests in $((SECONDS - begun[$1])) s"
	passed=$((passed + ok - skip))
	failed=$((failed + not_ok))
	skipped=$((skipped + skip))
	rm -f "$work/$1".*
}

settle() { # waits until one of those that run has ended
	local pid status
	wait -n -p pid "${!running[@]}"
	status=$?
	count "${running[$pid]}" $status
	unset "running[$pid]"
}

beside=() quiet=() alone=() guests=()
for suite in "${suites[@]}"; do
	for test in build/tests/"$suite"/test-* tests/"$suite"/test-*.sh; do
		[ -f "$test" ] || continue
		# Programs only: a script that is not executable would be left out without a word.
		if [[ ! -x $test ]]; then
			[[ $test != *.sh ]] || {
				echo "not ok - $test is not executable"
				failed=$((failed + 1))
			}
		elif [ "$suite" = vm ]; then
			guests+=("$test")
		elif grep -q '^# quiet: ' "$test"; then
			quiet+=("$test")
		elif [[ $suite = @(jail|isolate) ]] || grep -q '^# alone: ' "$test"; then
			alone+=("$test")
		else
			beside+=("$test")
		fi
	done
done

for test in "${beside[@]}"; do
	while [ ${#running[@]} -ge "$lanes" ]; do settle; done
	start "$test"
done
while [ ${#running[@]} -gt 0 ]; do settle; done
for test in "${quiet[@]}"; do
	start "$test"
	settle
done
for test in "${guests[@]}"; do
	start "$test"
	[ "$lanes" -gt 1 ] || settle
done
for test in "${alone[@]}"; do
	start "$test"
	this=$!
	while [ -n "${running[$this]:-}" ]; do settle; done
done
while [ ${#running[@]} -gt 0 ]; do settle; done

if [ "${SANDBOX_TESTS_MUST_RUN:-0}" = 1 ] && [ $skipped -gt 0 ]; then
	echo "$skipped tests were skipped, which is a failure here"
	failed=$((failed + skipped))
	skipped=0
fi
if [ $skipped -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ $failed = 0 ] && [ $passed -gt 0 ]
