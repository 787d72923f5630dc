#!/bin/bash
# SPDX-License-Identifier: MIT
# JavaScript test suites, from challenge.json to verdicts: Vitest in both ways, Jest, node:test,
# with Hurl in one challenge; hostile answers; what a teacher is told.
. "$(dirname "$0")/../pipeline/lib.sh"

here=$source_dir/tests/suites
todo=$source_dir/examples/todo/submissions

# Statuses of all tests in order: "+" passed, "-" failed.
outcomes() {
	member '.tests.cases.map(c =>
		c.status === "passed" ? "+" : c.status === "failed" ? "-" : "?").join("")'
}

# The challenge $1 in $scratch/$2, with the fast way forbidden.
without_fast() {
	cp -r "$here/$1" "$scratch/$2"
	sed -i 's/^\t"port"/\t"suite": { "fast": false },\n&/' "$scratch/$2/challenge.json"
}

grade "$todo/correct" "$here/todo"
equal "Hurl, Vitest, Jest and node:test in one challenge" AC "$(member .verdict)" \
	"$(tail -5 "$scratch/stderr")"
equal "each test counts, the suites' two points" 35 "$(member .score)"
equal "Hurl comes first, then Vitest, Jest, node:test, each by the names of its files" \
	"empty.hurl add.test.ts list.test.js types.test.ts change.test.mjs typed.test.mts" \
	"$(member '.tests.cases.map(c => c.file)
		.filter((f, i, all) => f !== all[i - 1]).join(" ")')"
equal "tests have the names of their blocks" "adding > can be read back" \
	"$(member '.tests.cases[2].name')"

grade "$todo/wrong" "$here/todo"
equal "a wrong server fails the tests it should" '++' "$(outcomes | cut -c1-2)" "$(outcomes)"
equal "and no others" '+++---++++-+++--++' "$(outcomes)"
like "a failed test of Vitest says what was expected and came" \
	'"line":21.*"expected":"400".*"actual":"201"' \
	"$(member '.tests.cases[3]')"
like "and one of Jest" '"expected":"true".*"actual":"false"' "$(member '.tests.cases[10]')"
like "and one of node:test" 'assert.ok' "$(member '.tests.cases[14]')"

# What people are told is the same in both ways, but for the line within a test.
told() {
	member '.tests.cases.map(({ name, status, failure: f }) =>
		[name, status, f && [f.message, f.expected, f.actual]])'
}
fast=$(told)
cp -r "$here/todo" "$scratch/todo-real"
sed -i 's/"suite": {/"suite": { "fast": false,/' "$scratch/todo-real/challenge.json"
grade "$todo/wrong" "$scratch/todo-real"
equal "both ways tell the same" "$fast" "$(told)"
like "the plan says which way was taken" '"fast":true' \
	"$(cat "$store"/suite/*/plan.json | grep '"files":\["tests/add.test.ts"\]')"

grade "$todo/wrong" "$here/todo" --reveal names
equal "messages are the challenge's to reveal" undefined "$(member '.tests.cases[3].failure')"

# What a response can do is fail its own tests. Both ways are told apart by nothing.
without_fast hostile real
cp -r "$here/hostile/server" "$scratch/server"
hostile() { # ATTACK OUTCOMES MESSAGE-PATTERN [OUTCOMES-GLOB of the real way]
	local challenge got
	echo "$1" >"$scratch/server/attack"
	for challenge in "$here/hostile" "$scratch/real"; do
		grade "$scratch/server" "$challenge"
		got=$(outcomes)
		# shellcheck disable=SC2053 # a glob
		[[ $challenge = */real && -n ${4-} && $got == $4 ]] && got=$2
		equal "$1: the attacked test fails ($(basename "$challenge"))" "$2" "$got" \
			"$(tail -5 "$scratch/stderr")"
		like "$1: and says why" "$3" "$(member '.tests.cases[2].failure.message')"
	done
}
hostile garbage '++-+-' 'Parse Error'
hostile silent '+--+-' 'timeout of 1500ms exceeded'
hostile deep '++-+-' 'to deeply equal'
hostile escape '++-+-' 'to deeply equal'
like "what came is shown without control characters" '<script>' \
	"$(member '.tests.cases[2].failure.actual')"
equal "a skipped test has failed" "the suite skipped this test" \
	"$(member '.tests.cases[4].failure.message')"
# Vitest reports in batches: what it had not said yet when its memory was full has failed as well.
hostile endless '++---' 'filled the memory of the tests|maxContentLength|timeout of 1500ms' '??---'

echo crash >"$scratch/server/attack"
grade "$scratch/server" "$here/hostile"
equal "a server that ends is a crash" CRASH "$(member .verdict)"

# What node:test skips has failed by name, a block that it does not look into as one.
mkdir -p "$scratch/skips/tests"
echo '{ "title": "Skips", "tests": ["tests/*.test.mjs"], "port": 8000 }' \
	>"$scratch/skips/challenge.json"
cat >"$scratch/skips/tests/skips.test.mjs" <<'EOF'
import { describe, it } from 'node:test'
describe.skip('block', () => { it('in it', () => {}) })
describe.todo('later', () => { it('in that', () => {}) })
it.todo('todo')
it.skip('skip', () => {})
it('option', { skip: 'why' }, () => {})
it('skips itself', (t) => t.skip())
it('runs', () => {})
EOF
grade "$todo/correct" "$scratch/skips"
equal "tests that node:test skips" \
	"block, later > in that, todo, skip, option, skips itself: failed; runs: passed" \
	"$(member ' && ["failed", "passed"].map(s => r.tests.cases.filter(c => c.status === s)
		.map(c => c.name).join(", ") + ": " + s).join("; ")')"

# A teacher's mistakes: exit code 2, file and reason.
mistake() { # NAME PATTERN: the challenge is in $scratch/mistake
	"$run" grade "$todo/correct" --challenge "$scratch/mistake" --store "$store" \
		>"$scratch/out" 2>&1
	status=$?
	equal "$1: exit code" 2 $status "$(cat "$scratch/out")"
	like "$1: says what is wrong" "$2" "$(cat "$scratch/out")"
}
fresh() {
	rm -rf "$scratch/mistake"
	cp -r "$here/todo" "$scratch/mistake"
}
fresh
sed -i 's/"total": 17/"total": 18/' "$scratch/mistake/challenge.json"
mistake "a wrong total" 'the suites have 17 tests, not 18 \(\$.suite.total\)'
fresh
echo "throw new Error('this cannot be loaded')" >>"$scratch/mistake/tests/add.test.ts"
mistake "a file that cannot be loaded" \
	'tests/add.test.ts: vitest found no test in it: this cannot be loaded'
fresh
echo "import 'node:test'" >"$scratch/mistake/tests/change.test.mjs"
mistake "a file without tests" 'tests/change.test.mjs: node:test found no test in it'
fresh
echo "import './nowhere'" >>"$scratch/mistake/tests/types.test.ts"
mistake "a missing import" 'tests/types.test.ts: jest found no test in it: .*nowhere'
fresh
echo "process.exit(0)" >>"$scratch/mistake/tests/typed.test.mts"
rm "$scratch/mistake/tests/change.test.mjs"
mistake "a file that ends the process" \
	'tests/typed.test.mts: node:test found no test in it|without a whole report'
fresh
sed -i 's/"runner".*//; s/"points": 2/"runner": "mocha"/' "$scratch/mistake/challenge.json"
mistake "an unknown runner" \
	'this must be "auto" .*"vitest", "jest" or "node:test" \(\$.suite.runner\)'

finish
