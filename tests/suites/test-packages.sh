#!/bin/bash
# SPDX-License-Identifier: MIT
# Suites that bring packages along: a package.json beside the tests, installed for them alone; what
# a teacher is told when they cannot be had.
. "$(dirname "$0")/../pipeline/lib.sh"

here=$source_dir/tests/suites/packages
correct=$source_dir/examples/todo/submissions/correct

grade "$correct" "$here"
equal "packages of the challenge: Vitest, Jest, node:test" "AC 5" \
	"$(member .verdict) $(member .tests.passed)" \
	"$(tail -5 "$scratch/stderr")"
plan=$(grep -l '"files":\["tests/schema.test.ts"\]' "$store"/suite/*/plan.json | head -1)
like "with them it is the real Vitest" 'the challenge brings packages along' "$(cat "$plan")"
check "they are not stored with the suite" \
	test -z "$(ls "${plan%/plan.json}/tests/tests/node_modules")"
equal "what the report says is the submission's, not theirs" "none" \
	"$(member '.stages.find(s => s.name === "deps").note')"

# Without any of its own, a suite with a package.json is run as if it had none.
cp -r "$here" "$scratch/same"
rm "$scratch"/same/tests/{package-lock.json,dates.test.cjs,module.test.js,schema.test.ts}
sed -i '/dayjs/d; /zod/d; s/"vitest": "^4.0.0",/"vitest": "^4.0.0"/' \
	"$scratch/same/tests/package.json"
sed -i 's/, "total": 5//; s/"suite": .*//' "$scratch/same/challenge.json"
cat >"$scratch/same/tests/plain.test.ts" <<'EOF'
import axios from 'axios'
import { expect, it } from 'vitest'
it('answers', async () => { expect((await axios.get('http://localhost:8000/todos')).status).toBe(200) })
EOF
grade "$correct" "$scratch/same"
equal "packages that are there anyway" AC "$(member .verdict)" "$(tail -5 "$scratch/stderr")"
like "leave the fast way" '"fast":true' \
	"$(cat "$store"/suite/*/plan.json | grep -F '"tests/plain.test.ts"')"

mistake() { # NAME SED PATTERN
	rm -rf "$scratch/mistake"
	cp -r "$here" "$scratch/mistake"
	sed -i "$2" "$scratch/mistake/tests/package.json"
	"$run" grade "$correct" --challenge "$scratch/mistake" --store "$store" >"$scratch/out" 2>&1
	status=$?
	equal "$1: exit code" 2 $status "$(cat "$scratch/out")"
	like "$1: says what is wrong" "$3" "$(cat "$scratch/out")"
}
mistake "another Vitest" 's/"vitest": .*"/"vitest": "^2.0.0"/' \
	'tests/package.json:12:15: suites are run with vitest 4[0-9.]+, and "\^2.0.0" must allow it.*\(\$.devDependencies.vitest\)'
mistake "a version that does not exist" 's/"zod": .*"/"zod": "^999.0.0"/' \
	'tests/package.json: its packages cannot be installed: .*zod@\^999'
mistake "a folder for a package" 's/"zod": .*"/"zod": "file:..\/zod"/' \
	'tests/package.json:13:12: only packages of the npm registry .*\(\$.devDependencies.zod\)'

finish
