#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/jail/test-threads once more, with ThreadSanitizer in the library and in the test.
#
# Only these two are built, into a directory below the build's, which is kept: a second run compiles
# what has changed. The jail's init and the probe are the build's own, without sanitizer.
set -u
. "$(dirname "$0")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}
source=$(cd "$(dirname "$0")/../.." && pwd)
tsan=$build/tsan
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Kernels that randomize addresses more than the runtime expects: run it without.
plain=()
setarch -R true 2>/dev/null && plain=(setarch -R)

prepare() {
	[ -f "$tsan/build.ninja" ] || {
		rm -rf "$tsan"
		meson setup "$tsan" "$source" -Dtests=true -Db_sanitize=thread -Db_lundef=false ||
			return
	}
	ninja -C "$tsan" tests/jail/test-threads
}

if prepare >"$log" 2>&1; then
	pass "the library and the test are built with ThreadSanitizer"
else
	fail "the library and the test are built with ThreadSanitizer" "$(tail -20 "$log")"
	finish
	exit 1
fi

# With the lane "user" the same caller makes its jails through a holder.
for lane in root user; do
	SANDBOX_LANE=$lane SANDBOX_ROUNDS=${SANDBOX_ROUNDS:-2} timeout 240 "${plain[@]}" \
		"$tsan/tests/jail/test-threads" >"$log" 2>&1
	status=$?
	race=$(grep -A40 -m1 'WARNING: ThreadSanitizer' "$log")
	report "no data race is found in the ways of $lane" "$race"
	report "the threads test passes in the ways of $lane" \
		"$([ $status = 0 ] || { echo "exit status $status"; tail -20 "$log"; })"
done
finish
