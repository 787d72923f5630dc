#!/bin/bash
# SPDX-License-Identifier: MIT
# The fast way and the real Vitest agree test by test: status, name, order, message; over every
# suite of this folder. What the fast way cannot do it leaves to the real one.
. "$(dirname "$0")/../pipeline/lib.sh"

# The packages come into the store with the first suite that is published.
"$run" grade "$source_dir/examples/todo/submissions/correct" \
	--challenge "$source_dir/tests/suites/todo" \
	--store "$store" >/dev/null 2>&1
packages=$(find "$store"/deps -path '*/node_modules/@vitest/runner' -prune 2>/dev/null | head -1)
packages=${packages%/@vitest/runner}
if [ -z "$packages" ]; then
	fail "the packages of test suites are in the store"
	finish
	exit 1
fi
"$node" "$source_dir/tests/suites/agree.mjs" "$source_dir/runner/suite/js" "$packages" \
	"$source_dir/tests/suites/agree"
