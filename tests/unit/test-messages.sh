#!/bin/bash
# SPDX-License-Identifier: MIT
# docs/messages.md quotes every message and every note that a student may get, with its cause: no
# more, no fewer.
. "$(dirname "$0")/../tap.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
document=$root/docs/messages.md

said=$(python3 "$root/tests/unit/messages.py" "$root") || said=
if [ "$(wc -l <<<"$said")" -gt 100 ]; then
	pass "the sources can be read"
else
	fail "the sources can be read" \
		"$(python3 "$root/tests/unit/messages.py" "$root" 2>&1 | tail -3)"
fi
quotes() { # IN-NOTES: 1 for those of the section "Notes", 0 for all others
	awk -v want="$1" \
		'/^## / { notes = $2 == "Notes" } /^> / && !notes == !want { print substr($0, 3) }' \
		"$document" |
		LC_ALL=C sort
}
quoted=$(quotes 0)
noted=$(quotes 1)
notes=$(python3 "$root/tests/unit/messages.py" "$root" notes) || notes=

report "docs/messages.md has every message of the sources" \
	"$(LC_ALL=C comm -23 <(LC_ALL=C sort <<<"$said") <(LC_ALL=C sort -u <<<"$quoted"))"
report "docs/messages.md has no message that the sources lack" \
	"$(LC_ALL=C comm -13 <(LC_ALL=C sort <<<"$said") <(LC_ALL=C sort -u <<<"$quoted"))"
report "its notes are those of the sources" \
	"$(diff <(LC_ALL=C sort <<<"${notes:-the sources cannot be read}") \
		<(printf '%s\n' "$noted") | grep '^[<>]')"
report "no message is quoted twice" "$(uniq -d <<<"$quoted"$'\n'"$noted")"
# A quote, or several of one cause (a lone ">" between them makes paragraphs of them), is followed
# by the cause.
report "every message is followed by its cause" \
	"$(awk '/^> / { quote = $0; next } /^>$/ { next } quote != "" && /^$/ { if (!gap++) next } 
		quote != "" { if ($0 !~ /^[A-Z`"]/) print quote; quote = ""; gap = 0 }
		END { if (quote != "") print quote }' "$document")"
finish
