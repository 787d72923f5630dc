#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The jail suite once more, as an ordinary user without privileges, subordinate ids or a delegated
# group: everybody's case on a host that was not prepared. What such a user cannot have is listed by
# each program ("not in this lane") and refused by the library (tests/pipeline); with a delegated
# group and subordinate ids the same programs run in the guest (tests/vm).
# Usage: test-as-user.sh [PROGRAM...]     for example: denials
. "$SANDBOX_SOURCE/tests/tap.sh"
. "$SANDBOX_SOURCE/tests/user.sh"

user=65533 # in no passwd file
programs=("$@")
[ $# -gt 0 ] ||
	programs=(denials limits life network trace threads embedding crash pool output contract \
		classic)

copy=$(mktemp -d)
out=$copy/out
trap 'rm -rf "$copy" "/tmp/sandbox-$user"' EXIT
chmod 755 "$copy"
copy_for_user "$copy/build"

become $user SANDBOX_BUILD="$copy/build" SANDBOX_PROBE="$copy/build/tests/jail/probe"

# Its lines as ours, one for each; a program that prints no plan, or another number, has failed.
one_program() {
	local name=$1 line planned=none seen=0
	cp "$SANDBOX_BUILD/tests/jail/test-$name" "$copy/build/tests/jail"
	"${as_user[@]}" "$copy/build/tests/jail/test-$name" >"$out" 2>&1 </dev/null
	while IFS= read -r line; do
		case $line in
		"ok "*) pass "as a user: $name: ${line#* - }" ;;
		"not ok "*) fail "as a user: $name: ${line#* - }" ;;
		1..*) planned=${line#1..} seen=$((seen - 1)) ;;
		*)
			printf '# %s\n' "${line#\# }"
			seen=$((seen - 1))
			;;
		esac
		seen=$((seen + 1))
	done <"$out"
	[ "$planned" = $seen ] ||
		fail "as a user: $name ran to its end" "planned $planned, reported $seen"
}

for name in "${programs[@]}"; do
	one_program "$name"
done
finish
