#!/bin/bash
# SPDX-License-Identifier: MIT
# The shape of the sources: what a reader can hold in mind, and who may include what.
set -u
. "$(dirname "$0")/../tap.sh"
cd "${SANDBOX_SOURCE:?is set by tests/run.sh}" || exit 1
private='jail|plan|policy|cgroup|ctx|proc|ns|ids|control|error|protocol|plan-format'
report "the runner uses only the public header" \
	"$(grep -nE "#include \"(\.\./)*(lib/)?($private)\.h\"" -r runner)"

# A function that does not fit a few screens, or a file that nobody reads to its end.
long=$(ctags --fields=+ne --kinds-C=f -f - -R lib runner 2>/dev/null | awk -F'\t' '{
	l = e = 0
	for (i = 4; i <= NF; i++) {
		if ($i ~ /^line:/) l = substr($i, 6)
		if ($i ~ /^end:/) e = substr($i, 5)
	}
	if (e - l > 99) print $2 ": " $1 " has " e - l + 1 " lines"
}')
report "no function is longer than 100 lines" "$long"
report "functions were found to measure" \
	"$(ctags --kinds-C=f -f - lib/jail.c | grep -q sbx_jail_new || echo none)"
report "no file is longer than 800 lines" \
	"$(find include lib runner -name '*.[ch]' -exec wc -l {} + |
		awk '$2 != "total" && $1 > 800')"
# Tabs are 8; a text for people is one literal, however long.
report "no line of C is longer than 100 columns" "$(
	find include lib runner -name '*.[ch]' | while read -r file; do
		expand -t 8 "$file" | awk -v f="$file" '{ t = $0; sub(/^ */, "", t) }
			length($0) > 100 && t !~ /^"/ { print f ":" NR ": " length($0) " columns" }'
	done
)"
# The same for scripts, by their commands; what stands in a here-document is another language's, or
# data.
report "no line of a script is longer than 100 columns" "$(
	find examples runner tests -name '*.sh' |
	while read -r file; do
		expand -t 8 "$file" | awk -v f="$file" '
			{ t = $0; sub(/^ */, "", t) }
			here != "" { if (t == here) here = ""; next }
			length($0) > 100 && t !~ /^["\047][^$]/ {
				print f ":" NR ": " length($0) " columns"
			}
			!/<<</ && match($0, /<<-?["\047]?[A-Za-z_]+/) {
				here = substr($0, RSTART, RLENGTH)
				gsub(/[^A-Za-z_]/, "", here)
			}'
	done
)"
report "who counts what is left on the host says that it runs alone" \
	"$(grep -lE '^[^#]*\b(traces|nothing_left|all_gone)\b' tests/*/test-*.sh |
		xargs grep -L '^# alone: ')"
finish
