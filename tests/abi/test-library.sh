#!/bin/bash
# SPDX-License-Identifier: MIT
# The header, the symbol map and the shared library say the same; the library's interface is the one
# of the baseline, or has more; its version is one and the same wherever it is stated.
set -u
. "$(dirname "$0")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}
cd "${SANDBOX_SOURCE:?is set by tests/run.sh}" || exit 1
header=include/sandbox/sandbox.h
library=$build/lib/libsandbox.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

declared=$(gcc -E -P $header | grep -oE '\bsbx_[a-z_]+ *\(' | tr -d ' (' | sort -u)
mapped=$(grep -oE 'sbx_[a-z_]+' lib/libsandbox.sym | sort)
exported=$(nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
		sort)
others=$(nm -D --defined-only "$library" | awk '$2 != "T" && $2 != "A"')
report "every declared function is in the symbol map, and no other" \
	"$(diff <(echo "$declared") <(echo "$mapped"))"
report "every function of the map is exported, and nothing else" \
	"$(diff <(echo "$mapped") <(echo "$exported"))$others"
report "all symbols are in the node LIBSANDBOX_0" \
	"$(nm -D --defined-only "$library" | grep ' T ' | grep -v '@@LIBSANDBOX_0$')"
report "the library's soname is libsandbox.so.0" \
	"$(objdump -p "$library" | grep -q 'SONAME *libsandbox.so.0$' || echo missing)"

# The version: header, library, project, file name and pkg-config.
cat >"$work/version.c" <<'C'
#include <sandbox/sandbox.h>
#include <stdio.h>
int main(void)
{
	printf("%s %d.%d.%d\n", sbx_version(), SBX_VERSION_MAJOR, SBX_VERSION_MINOR, SBX_VERSION_PATCH);
	return 0;
}
C
report "a caller compiles against the header and links with the library" \
	"$(gcc -Wall -Werror -Iinclude "$work/version.c" -o "$work/version" -L"$build/lib" \
		-lsandbox 2>&1)"
said=$(LD_LIBRARY_PATH=$build/lib "$work/version" 2>&1)
project=$(meson introspect --projectinfo "$build" | grep -oE '"version": *"[^"]+"' | head -1 |
		cut -d'"' -f4)
report "sbx_version() is the header's and the project's version" \
	"$([ "$said" = "$project $project" ] ||
		echo "library and header: $said; project: $project")"
report "the library's file has the version in its name" \
	"$([ -f "$library.$project" ] || echo "no $library.$project")"
pc=$(find "$build" -name libsandbox.pc | head -1)
report "pkg-config knows the same version" \
	"$(grep -qx "Version: $project" "$pc" || grep Version "$pc")"

# What a program that was built against the baseline relies on. A sanitizer's build is another
# library.
baseline=tests/abi/libsandbox.abi
changes() { # FILE: what is gone or different in the library as FILE describes it
	local text
	text=$(abidiff --no-added-syms $baseline "$1" 2>&1) || printf '%s\n' "$text"
}
if nm -D "$library" | grep -qE ' (__asan|__tsan|__ubsan)_'; then
	pass "the interface is that of the baseline # SKIP a sanitizer's build"
else
	said=$(tests/abi/renew.sh "$build" "$work/now.abi" 2>&1)
	report "the library's interface can be read" \
		"$([ -s "$work/now.abi" ] || echo "abidw: $said")"
	report "nothing of the baseline is gone or different (if it is meant: tests/abi/renew.sh)" \
		"$(changes "$work/now.abi")"
	sed '/<elf-symbol name=.sbx_version. /d
		/<function-decl name=.sbx_version. /,/<\/function-decl>/d' \
		"$work/now.abi" >"$work/gone.abi"
	report "a function that is gone would be noticed" \
		"$(changes "$work/gone.abi" | grep -q 'function.*sbx_version' || echo "it was not")"
	sed "/<class-decl name=.sbx_result. /,/<\/class-decl>/\
		s/layout-offset-in-bits=.128./layout-offset-in-bits='160'/" \
		"$work/now.abi" >"$work/moved.abi"
	report "a member that moved would be noticed" \
		"$(changes "$work/moved.abi" | grep -q 'hit. offset changed' || echo "it was not")"
fi
report "the baseline holds no path of the machine that it was made on" \
	"$(grep -nE "(path|filepath|comp-dir-path)='/" $baseline | head -5)"
finish
