#!/bin/bash
# SPDX-License-Identifier: MIT
#
# `sandbox-run test` on what Hurl's documentation shows (tests/hurl, in other words and data): each
# file passes, and passes again in its JSON form; or it is refused by name, with its line.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

hurl=$source_dir/tests/hurl
coproc server { exec python3 "$hurl/server.py"; }
read -r port <&"${server[0]}"
trap 'kill "$server_PID"; rm -rf "$scratch"' EXIT
url=http://localhost:$port

passes() { # NAME FILE
	local out
	if out=$("$run" test --url "$url" --color never "$2" 2>&1); then
		pass "$1"
	else
		fail "$1" "$out"
	fi
}

for file in "$hurl"/documented/*.hurl; do
	name=$(basename "$file" .hurl)
	passes "$name: passes" "$file"
	cp "$hurl"/documented/*.txt "$scratch"
	"$run" test --to-json "$file" >"$scratch/$name.json" 2>"$scratch/err"
	passes "$name: its JSON form passes" "$scratch/$name.json"
	"$run" test --to-hurl "$scratch/$name.json" >"$scratch/$name.hurl" 2>>"$scratch/err"
	passes "$name: its JSON form as text passes" "$scratch/$name.hurl"
	"$run" test --to-json "$scratch/$name.hurl" >"$scratch/again.json" 2>>"$scratch/err"
	check "$name: both JSON forms are the same" cmp "$scratch/$name.json" "$scratch/again.json"
done

for file in "$hurl"/refused/*.hurl; do
	name=$(basename "$file" .hurl)
	IFS= read -r first <"$file"
	line=${first#\# refused } says=${first#*: } out=$("$run" test --url "$url" "$file" 2>&1)
	status=$?
	if [ $status = 2 ] && [[ $out = *":${line%%:*}:"*"$says"* ]]; then
		pass "refused: $name"
	else
		fail "refused: $name" "expected line ${line%%:*}: $says" "got ($status): $out"
	fi
done

finish
