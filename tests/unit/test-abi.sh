#!/bin/bash
# SPDX-License-Identifier: MIT
# The public header and the shared library say the same, and other languages can read the header.
set -u
. "$(dirname "$0")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}
cd "${SANDBOX_SOURCE:?is set by tests/run.sh}" || exit 1
header=include/sandbox/sandbox.h
for standard in c89 c99 c17; do
	report "the header is pedantic $standard" \
		"$(gcc -std=$standard -pedantic -Wall -Wextra -Werror -fsyntax-only -x c $header 2>&1)"
done
report "the header is C++11" "$(g++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only -x c++ $header 2>&1)"

declared=$(gcc -E -P $header | grep -oE '\bsbx_[a-z_]+ *\(' | tr -d ' (' | sort -u)
mapped=$(grep -oE 'sbx_[a-z_]+' lib/libsandbox.sym | sort)
exported=$(nm -D --defined-only "$build/lib/libsandbox.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort)
report "every declared function is in the symbol map, and no other" "$(diff <(echo "$declared") <(echo "$mapped"))"
report "every function of the map is exported, and nothing else" "$(diff <(echo "$mapped") <(echo "$exported"))"
report "the library's soname is libsandbox.so.0" \
	"$(objdump -p "$build/lib/libsandbox.so" | grep -q 'SONAME *libsandbox.so.0$' || echo missing)"
report "the runner uses only the public header" \
	"$(grep -nE '#include "(\.\./)*(lib/)?(jail|plan|policy|cgroup|ctx|proc|ns|ids|control|error|protocol|plan-format)\.h"' -r runner)"

# Sizes: a function that does not fit a few screens, or a file that nobody reads to its end.
long=$(ctags --fields=+ne --kinds-C=f -f - -R lib runner 2>/dev/null | awk -F'\t' '{
	l = e = 0
	for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) l = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5) }
	if (e - l > 99) print $2 ": " $1 " has " e - l + 1 " lines"
}')
report "no function is longer than 100 lines" "$long"
report "functions were found to measure" "$(ctags --kinds-C=f -f - lib/jail.c | grep -q sbx_jail_new || echo none)"
report "no file is longer than 800 lines" \
	"$(find lib runner include -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 800')"
finish
