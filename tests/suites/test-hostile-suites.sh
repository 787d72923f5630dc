#!/bin/bash
# SPDX-License-Identifier: MIT
# What a hostile server answers may fail the tests that asked, and nothing else: no test passes that
# should not, none that others asked fails, nothing of it is our failure. By each runner.
. "$(dirname "$0")/../pipeline/lib.sh"

here=$source_dir/tests/suites
server=$here/answers/server
attacks=$("$node" -p '
	JSON.parse(require("fs").readFileSync(process.argv[1])).map(() => "-").join("")' \
	"$here/answers/tests/attacks.json")

# Outcomes of the tests of the file $1, in order.
outcomes() {
	member ".tests.cases.filter(c => c.file === '$1')
		.map(c => c.status === 'passed' ? '+' : c.status === 'failed' ? '-' : '?').join('')"
}

# Whoever listens is named in what the last of the attacks' tests says.
listens() { # FILE
	member ".tests.cases.find(c => c.file === '$1' && c.name.includes('listens'))?.message"
}

vitest() { # WAY
	equal "$1: no answer passes, stops others or changes what they say" "+$attacks-++" \
		"$(outcomes all.test.ts | cut -c1-29)" \
		"$(listens all.test.ts)$(tail -3 "$scratch/stderr")"
	equal "$1: the difference of long lists is not worth the time" "-" \
		"$(outcomes all.test.ts | cut -c30)"
	equal "$1: members merged into all objects turn nothing around" "--+" \
		"$(outcomes all.test.ts | cut -c31-)"
	equal "$1: what was thrown is a failure, whatever it is made of" "---" \
		"$(outcomes evil.test.ts)"
	like "$1: however often nobody catches an error, it is the tests' failure" \
		'^\+(-\+|\+-|--)$' "$(outcomes many.test.ts)"
	equal "$1: and no failure of ours, or for want of time" PARTIAL "$(member .verdict)" \
		"$(tail -3 "$scratch/stderr")"
}

grade "$server" "$here/answers"
like "the fast way is taken" '"fast":true' \
	"$(cat "$store"/suite/*/plan.json | grep -F '"files":["tests/all.test.ts","tests/evil')"
vitest "fast way"
equal "Jest: no answer passes, stops others or changes what they say" "+$attacks++-" \
	"$(outcomes all.test.cjs | cut -c1-29)" "$(listens all.test.cjs)"
equal "Jest: members merged into all objects turn nothing around" "--+" \
	"$(outcomes all.test.cjs | cut -c30-)"
equal "node:test: no answer passes, stops others or changes what they say" "+$attacks-++" \
	"$(outcomes all.test.mjs | cut -c1-29)" "$(listens all.test.mjs)"
equal "node:test: members merged into all objects turn nothing around" "--+" \
	"$(outcomes all.test.mjs | cut -c30-32)"
equal "node:test: what was thrown is a failure, whatever it is made of" "--+" \
	"$(outcomes all.test.mjs | cut -c33-)"
equal "node:test: nobody forges what a test process tells its parent" "--" \
	"$(outcomes raw.test.mjs)"
equal "node:test: not even by filling its memory afterwards" "---" "$(outcomes early.test.mjs)"

some() { # KEPT...: a copy of the challenge, the real Vitest, some of the files
	rm -rf "$scratch/some"
	mkdir "$scratch/some" "$scratch/some/tests"
	sed -e 's/"suite": {/"suite": { "fast": false,/' \
		-e 's/"tests": \[.*\]/"tests": ["tests\/*.test.*"]/' \
		"$here/answers/challenge.json" >"$scratch/some/challenge.json"
	(cd "$here/answers/tests" && cp attacks.json "$@" "$scratch/some/tests")
}

# Where no source writes to the standard output, what was reported before counts.
some memory.test.mjs
grade "$server" "$scratch/some"
equal "node:test: memory that is full fails what was not done" "+--" "$(outcomes memory.test.mjs)"

some all.test.ts evil.test.ts many.test.ts
grade "$server" "$scratch/some"
vitest "real Vitest"

finish
