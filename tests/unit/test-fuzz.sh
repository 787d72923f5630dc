#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The fuzz targets for some seconds: their corpus, and mutations that are the same each time. For
# longer: build/tests/fuzz/fuzz-hurl-text --seed 2 --runs 1000000 tests/fuzz/corpus/texts ...
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}/tests/fuzz
cd "${SANDBOX_SOURCE:?is set by tests/run.sh}/tests/fuzz" || exit 1

fuzz() { # TARGET RUNS CORPUS...
	local out target=$1 runs=$2
	shift 2
	if out=$("$build/fuzz-$target" --runs "$runs" "$@" 2>&1); then
		pass "$target: $(sed -n 's/^ok 1 - //p' <<<"$out")"
	else
		fail "$target" "$out"
	fi
}

fuzz fetch-url 20000 corpus/urls
fuzz hurl-text 30000 corpus/texts ../hurl/documented ../hurl/refused \
	../../examples/car-rental/challenge/tests
fuzz hurl-json 10000 corpus/forms
fuzz hurl-response 600 corpus/responses
fuzz payload 30000 corpus/payloads
finish
