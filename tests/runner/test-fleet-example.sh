#!/bin/bash
# SPDX-License-Identifier: MIT
# examples/fleet in small: its own summary is right, and it leaves nothing, also when it is
# interrupted.
# alone: what is left on the host is counted
set -u
. "$(dirname "$0")/lib.sh"
needs_root
fleet=$source_dir/examples/fleet/run.sh
export TMPDIR=$scratch/tmp
mkdir -m 711 "$TMPDIR"
before=$(traces)

"$fleet" --build "$build" --submissions 12 --students 5 --rate 600 >"$scratch/out" 2>"$scratch/err"
equal "it ends well" 0 $? "$(cat "$scratch/out" "$scratch/err")"
like "its view is a line now and then where nobody looks" 'judged 12 of 12' "$(cat "$scratch/out")"
for sentence in 'exactly one result in the stream' 'exactly one row in the ledger' \
	'the same verdict' \
	'judged as it should be' 'what the ledger computes'; do
	like "its summary finds: $sentence" "ok +[^"$'\n'"]*$sentence" "$(cat "$scratch/out")"
done
like "every kind of submission was there" 'nobody listens +1 .*IE 1' "$(cat "$scratch/out")"
equal "its folder is gone" '' "$(ls -A "$TMPDIR")"

# in the middle of it, with all that Ctrl-C may reach
setsid "$fleet" --build "$build" --submissions 12 --students 5 --rate 600 >"$scratch/out2" \
	2>"$scratch/err2" &
pid=$!
check "it judges" until_true 1200 grep -q "^handed in" "$scratch/out2"
ours=$(pgrep -f "$TMPDIR" | sort)
kill -TERM "$pid"
wait "$pid"
equal "it ends when it is told to" 143 $?
check "its servers and workers were there to be ended" test "$(wc -l <<<"$ours")" -ge 4
equal "none of them is left" '' "$(pgrep -f "$TMPDIR")"
equal "its folder is gone, too" '' "$(ls -A "$TMPDIR")"
"$fleet" --submissions many >/dev/null 2>&1
equal "what makes no sense is refused" 2 $?
nothing_left "$before"
finish
