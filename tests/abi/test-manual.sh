#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages render without a warning, speak of everything that there is, and the program in
# libsandbox(3) compiles and does what the page says.
set -u
. "$(dirname "$0")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}
cd "${SANDBOX_SOURCE:?is set by tests/run.sh}" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ------------------------------------------------------------------------- rendering
warnings() { # PAGE: what groff says of it; its text is left in rendered
	{ groff -k -t -man -Tutf8 -P-cbou -rLL=78n -ww "$1" >"$work/rendered"; } 2>&1
}
for source in docs/*.scd; do
	page=$(basename "$source" .scd)
	report "scdoc reads $page" "$(scdoc <"$source" 2>&1 >"$work/$page")"
	report "$page renders without a warning" "$(warnings "$work/$page")"
	report "$page has a name and what it is in one line" \
		"$(grep -A2 '^NAME' "$work/rendered" | grep -q "^  *${page%.*} - [a-z]" ||
			cat "$work/rendered" | head -5)"
	report "$page has no line that a terminal of 100 columns would cut" \
		"$(LC_ALL=C.UTF-8 grep -E '^.{101,}' "$work/rendered")"
done
printf '.TH x 1\n.SH NAME\nx \\- y\n.nosuchmacro\n' >"$work/wrong.1"
report "a wrong page would be noticed" \
	"$([ -n "$(warnings "$work/wrong.1")" ] || echo "it was not")"

# ---------------------------------------------------------------------- completeness
declared=$(gcc -E -P include/sandbox/sandbox.h | grep -oE '\bsbx_[a-z_]+ *\(' | tr -d ' (' |
		sort -u)
described=$(sed -nE '/^# FUNCTIONS/,/^# RESULT/s/^(\|\[|\|) +(\*.*)/\2/p' docs/libsandbox.3.scd |
		grep -oE 'sbx_[a-z_]+' | sort)
report "libsandbox(3) lists every function once, and no other" \
	"$(diff <(echo "$declared") <(echo "$described"))"
for verdict in $(grep -oE 'SBX_VERDICT_[A-Z]+' include/sandbox/sandbox.h | sort -u); do
	grep -qE "^\*.*\b${verdict#SBX_VERDICT_}\b" docs/libsandbox.3.scd || echo "$verdict"
done >"$work/missing"
report "libsandbox(3) explains every verdict" "$(cat "$work/missing")"
for page in docs/*.scd; do
	base=$(basename "$page" .scd)
	sed -n '/^# SEE ALSO/,$p' "$page" | grep -oE '\*(sandbox-[a-z]+|libsandbox)\*\([0-9]\)' |
		tr -d '*' |
		sed -E 's/\(([0-9])\)/.\1/' | while read -r other; do
		[ -f "docs/$other.scd" ] || echo "$base refers to $other, which is not there"
	done
done >"$work/missing"
report "pages of ours that others refer to exist" "$(cat "$work/missing")"
for command in sandbox-run sandbox-isolate; do
	page=docs/$command.1.scd
	program=$(find "$build/runner" -name $command -type f -perm -1 | head -1)
	[ -f "$page" ] && [ -n "$program" ] || continue
	commands=
	[ $command = sandbox-isolate ] ||
		commands=$("$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' |
			grep -vx help)
	for sub in ${commands:-""}; do
		# shellcheck disable=SC2086
		"$program" $sub --help | sed -nE 's/^ +(-[A-Za-z], )?(--[a-z][a-z-]*).*/\2/p' \
			| while read -r option; do
			[ "$option" = --help ] || grep -qF -e "*$option*" "$page" ||
				echo "$command $sub $option"
		done
	done >"$work/missing"
	report "$command(1) speaks of every option of --help" "$(cat "$work/missing")"
done
# Its configuration has a page of its own, with every key by its name and as the option that it is
# too.
runner=$build/runner/fleet/sandbox-runner
for sub in $("$runner" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' |
		grep -vx help); do
	"$runner" "$sub" --help | sed -nE 's/^ +(-[A-Za-z], )?(--[a-z][a-z-]*).*/\2/p' \
		| while read -r option; do
		[ "$option" = --help ] || grep -qF -e "*$option*" docs/sandbox-runner.8.scd \
			docs/sandbox-runner.conf.5.scd ||
			echo "sandbox-runner $sub $option"
	done
done >"$work/missing"
report "sandbox-runner(8) and its configuration speak of every option of --help" \
	"$(cat "$work/missing")"
"$runner" run --help | sed -n '/sandbox-runner.conf(5)/,/^$/s/^ *--\([a-z-]*\).*/\1/p' |
	sort >"$work/keys"
sed -nE 's/^\*[a-z._\\]+\* \(.*; \*--([a-z-]+)\*\)$/\1/p' docs/sandbox-runner.conf.5.scd |
	sort >"$work/described"
report "sandbox-runner.conf(5) has every key, and no other" \
	"$(diff "$work/keys" "$work/described"; [ -s "$work/keys" ] || echo none)"

# Files that the documents point to. What only a clone has is not linked from a page.
for document in *.md docs/*.md policies/*.md tests/*/*.md examples/*/*.md examples/*/*/*.md; do
	[ -f "$document" ] || continue
	grep -oE '\]\([^)# ]+' "$document" | cut -c3- | grep -vE '^[a-z]+:' |
	while read -r target; do
		[ -e "$(dirname "$document")/$target" ] || echo "$document: $target"
	done
done >"$work/missing"
report "what the documents link to exists" "$(cat "$work/missing")"

# -------------------------------------------------------------------------- examples
# Each block of sandbox-policy(5) that is JSON is a policy, or the part of one.
awk -v dir="$work" '/^```$/ { inside = !inside; if (inside) { n++; getline; first = $0
		part = first ~ /^"/
	if (part || first ~ /^(\/\/|\{)/) { file = dir "/" n ".json" } else file = ""
		if (file && part) print (first ~ /extends/ ? "{" : "{ \"extends\": \"base\",") >file
		if (file) print first >file }
	else if (file) { if (part) print "}" >file; close(file) } ; next }
	inside && file { print >file }' docs/sandbox-policy.5.scd
examples=0
for example in "$work"/*.json; do
	examples=$((examples + 1))
	report "example $examples of sandbox-policy(5) is a policy" \
		"$(SANDBOX_POLICY_DIR=$PWD/policies "$build/runner/sandbox-run" policy \
			check "$example" 2>&1 >/dev/null)"
done
report "sandbox-policy(5) has examples" "$([ $examples -ge 6 ] || echo $examples)"
sed -n '/^# EXAMPLE/,/^# FUNCTIONS/p' docs/libsandbox.3.scd | sed -n '/^```$/,/^```$/p' |
	awk '/^```$/ { if (n++) exit; next } { print }' | sed 's/\\\\/\\/g' >"$work/run.c"
report "the page has a program" "$(grep -q '^int main' "$work/run.c" || echo "no main in it")"
for standard in c99 gnu17; do
	report "the program compiles as $standard without a warning" \
		"$(gcc -std=$standard -Wall -Wextra -Werror -Iinclude "$work/run.c" -o "$work/run" \
			-L"$build/lib" -lsandbox 2>&1)"
done
report "the program is C++20, too" \
	"$(g++ -x c++ -std=c++20 -Wall -Iinclude -fsyntax-only "$work/run.c" 2>&1)"
run() {
	LD_LIBRARY_PATH=$build/lib timeout 120 "$work/run" policies/exec.json "$@" 2>"$work/err" \
		>"$work/out" </dev/null
}
if [ "$(id -u)" = 0 ]; then
	run sh -c 'echo 42; exit 7'
	status=$?
	report "the program runs a command and says how it ended" \
		"$([ "$status:$(cat "$work/out")" = 7:42 ] &&
			grep -q 'verdict 0, exit code 7' "$work/err" ||
			cat "$work/err" "$work/out")"
	run /nonexistent
	status=$?
	report "the program says why it could not" \
		"$([ $status = 125 ] && grep -q '^exec: /nonexistent: ' "$work/err" ||
			cat "$work/err")"
else
	pass "the program runs a command # SKIP needs root"
fi
finish
