#!/bin/bash
# SPDX-License-Identifier: MIT
# Suites are published and run by an ordinary user, too, into and from a store of the user's own.
. "$(dirname "$0")/../pipeline/lib.sh"
. "$(dirname "$0")/../user.sh"

needs_root "to become another user"

# The packages come into root's store; the user gets a copy, without the published suites.
"$run" grade "$source_dir/examples/todo/submissions/correct" \
	--challenge "$source_dir/tests/suites/todo" \
	--store "$store" >/dev/null 2>&1

user=65531 # in no passwd file, and nobody else's here
home=$scratch/home
copy=$scratch/copy
copy_for_user "$copy/build"
cp -r "$source_dir/tests/suites/todo" "$source_dir/examples/todo/submissions" "$copy"
chmod -R a+rX "$copy"
chmod 755 "$scratch"
mkdir -p "$home/store/deps" "$scratch/runtime"
packages=$(find "$store"/deps -path '*/node_modules/@vitest/runner' -prune | head -1)
packages=${packages%/node_modules/@vitest/runner}
cp -a "$store/runtime" "$home/store"
cp -a "$packages" "$packages".* "$home/store/deps"
: >"$scratch/result.json"
chown -hR $user:$user "$home" "$scratch/runtime" "$scratch/result.json"
chmod 700 "$home/store" "$scratch/runtime"
become $user HOME="$home" XDG_RUNTIME_DIR="$scratch/runtime"

for run_number in first second; do
	"${as_user[@]}" "$copy/build/runner/sandbox-run" grade "$copy/submissions/correct" \
		--challenge "$copy/todo" \
		--store "$home/store" --color never --allow-unenforced all \
		--json="$scratch/result.json" 2>"$scratch/stderr"
	equal "an ordinary user's $run_number run: all kinds of suites" "AC 18" \
		"$(member .verdict) $(member .tests.total)" "$(cat "$scratch/stderr")"
done
equal "three suites are in the user's store, and nobody else's" "3 $user" \
	"$(find "$home/store/suite" -mindepth 1 -maxdepth 1 -type d | wc -l) $(
		find "$home/store/suite" -printf '%U\n' | sort -u)"
finish
