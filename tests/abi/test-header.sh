#!/bin/bash
# SPDX-License-Identifier: MIT
# Other languages and other compilers can read the public header, and its structs have no hole that
# would carry garbage from one library version to the next.
set -u
. "$(dirname "$0")/../tap.sh"
cd "${SANDBOX_SOURCE:?is set by tests/run.sh}" || exit 1
header=include/sandbox/sandbox.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for standard in c89 c99 c17; do
	report "the header is pedantic $standard" \
		"$(gcc -std=$standard -pedantic -Wall -Wextra -Werror -fsyntax-only -x c \
			$header 2>&1)"
done
report "the header is C++11" \
	"$(g++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only -x c++ $header 2>&1)"

# The compiler itself says where it would pad.
padded() { gcc -std=c99 -Wpadded -Werror -fsyntax-only -x c "$1" 2>&1; }
report "all padding of the public structs is explicit" "$(padded $header)"
printf 'struct hole { int a; long b; };\n' >"$work/hole.h"
report "a hole in a struct would be noticed" \
	"$([ -n "$(padded "$work/hole.h")" ] || echo "it was not")"

# Structs that callers fill or have filled start with their size, so that they can grow.
sizeless=$(awk '/^struct sbx_[a-z_]+ \{/ {
	name = $2
	getline
	if ($0 !~ /uint32_t size;/) print name
}' $header | sort | xargs)
report "every struct starts with its size, but for those that can never change" \
	"$([ "$sizeless" = "sbx_check sbx_error sbx_fd sbx_listener" ] ||
		echo "without one: $sizeless")"
report "the header needs no other but stddef.h and stdint.h" \
	"$(grep '^#include' $header | grep -v -e '<stddef.h>' -e '<stdint.h>')"
report "no enum, bool, bit-field, inline function or varargs" \
	"$(gcc -E -P -fpreprocessed -x c $header |
		grep -nE '\b(enum|_?[Bb]ool|inline)\b|\.\.\.|: *[0-9]+;')"

# A manual that does not speak of a function, or not of how it fails, is none.
undocumented=$(awk '
	/^\/\*/ { comment = "" }
	/^(\/\*| \*)/ { comment = comment $0 "\n"; next }
	/^[a-z].*sbx_[a-z_]+\(/ {
		match($0, /sbx_[a-z_]+\(/); name = substr($0, RSTART, RLENGTH - 1)
		own = $0 ~ /\/\*.*\*\// ? $0 : comment
		if (own == "" && name !~ /_(free|unref)$/)
			print name ": no comment"
		else if ($0 ~ /^int/ &&
			own !~ /Errors|annot fail|On failure|error is|The same from|do not close/)
			print name ": says nothing of errors"
	}
	{ comment = "" }' $header)
report "every function of the header has a comment, and says how it fails" "$undocumented"
finish
