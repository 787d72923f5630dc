#!/bin/bash
# SPDX-License-Identifier: MIT
# suites.sh [STORE]: the processor time of the two ways of running Vitest suites, over the same
# suites and in the same minutes. Asserts nothing. The packages must be in the store:
# tests/suites/test-agree.sh brings them there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
store=${1:-${SANDBOX_STORE:-/var/lib/sandbox}}
packages=$(find "$store"/deps -path '*/node_modules/@vitest/runner' -prune | head -1)
"$store/runtime/node/bin/node" "$here/../suites/agree.mjs" "$here/../../runner/suite/js" \
	"${packages%/@vitest/runner}" "$here/../suites/agree" | grep '^# '
