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

examples/setup.sh --tests || {
	echo "0 passed, 1 failed"
	exit 1
}

passed=0 failed=0 skipped=0
work=$(mktemp -d)
child=
trap 'rm -rf "$work"' EXIT
trap 'trap "" INT TERM; [ -z "$child" ] || { kill "$child"; wait "$child"; }; exit 130' INT TERM

# One program: its output is shown, its TAP counted; a plan that is not met is a failure too.
run_one() {
	local name=$1 out=$work/out status ok not_ok skip plan
	shift
	echo "# $name"
	env --default-signal=INT,QUIT CMOCKA_MESSAGE_OUTPUT=TAP SANDBOX_BUILD="$root/build" \
		SANDBOX_SOURCE="$root" SANDBOX_PROBE="$root/build/tests/jail/probe" \
		timeout 1500 "$@" </dev/null >"$out" 2>"$work/err" &
	child=$!
	wait $child
	status=$?
	child=
	cat "$out"
	ok=$(grep -cE '^ok\b' "$out")
	skip=$(grep -cE '^ok\b.*# *[Ss][Kk][Ii][Pp]' "$out")
	not_ok=$(grep -cE '^not ok\b' "$out")
	plan=$(sed -nE 's/^1\.\.([0-9]+).*/\1/p' "$out" | head -1)
	if [ -z "$plan" ] || [ "$plan" != $((ok + not_ok)) ] || { [ $status != 0 ] && [ "$not_ok" = 0 ]; }; then
		echo "not ok - $name: exit status $status, ${plan:-no} tests planned, $((ok + not_ok)) reported"
		not_ok=$((not_ok + 1))
	fi
	[ "$not_ok" = 0 ] || sed 's/^/# stderr: /' "$work/err" | tail -60
	passed=$((passed + ok - skip))
	failed=$((failed + not_ok))
	skipped=$((skipped + skip))
}

for suite in "${suites[@]}"; do
	for test in build/tests/"$suite"/test-* tests/"$suite"/test-*.sh; do
		[ -f "$test" ] || continue
		# Programs only: a script that is not executable would be left out without a word.
		if [ -x "$test" ]; then
			run_one "$suite/$(basename "$test")" "$test"
		elif [[ $test = *.sh ]]; then
			echo "not ok - $test is not executable"
			failed=$((failed + 1))
		fi
	done
done

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
