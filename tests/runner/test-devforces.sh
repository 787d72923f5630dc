#!/bin/bash
# SPDX-License-Identifier: MIT
# DevForces' protocol without a worker: what its database says of a submission, its challenges as
# folders, its messages. (A submission from its producer to its result: test-worker-devforces.sh.)
set -uo pipefail
. "$(dirname "$0")/lib.sh"

driver=$build/tests/runner/devforces-driver
postgres_start || exit 1
df() { "$driver" "$1" "${df_url:-$postgres_url}" "${@:2}" 2>&1; }
field() { sed -n "s/^$1=//p"; }

sql 'CREATE TABLE "Contest" (id text PRIMARY KEY, title text NOT NULL, duration integer NOT NULL,
	"startsAt" timestamptz(3) NOT NULL)'
sql 'CREATE TABLE "Challenge" (id text PRIMARY KEY, title text NOT NULL, "testFile" text NOT NULL,
	"totalTestCases" integer NOT NULL, "contestId" text NOT NULL)'
sql 'CREATE TABLE "SubmissionSession" (id text PRIMARY KEY, token text UNIQUE NOT NULL,
	"userId" text NOT NULL, "contestId" text NOT NULL, "challengeId" text NOT NULL,
	status text NOT NULL, "createdAt" timestamp(3) NOT NULL)'
sql "INSERT INTO \"Contest\" VALUES ('c0', 'spring', 7200, '2026-11-23 18:00:00+00')"
tests="import { it, expect } from ''vitest''; it(''works'', () => expect(1).toBe(1));"
sql "INSERT INTO \"Challenge\" VALUES ('ch0', 'todo', '$tests', 3, 'c0'), ('none', 'empty', '', 0,
	'c0')"
sql "INSERT INTO \"SubmissionSession\" VALUES ('x', '7b1e', 'ada', 'c0', 'ch0', 'pending',
	'2026-11-23 18:30:00.250'),
	('y', 'odd', 'a b', 'c0', 'ch0', 'pending', now())"

payload() { # ID CHALLENGE URL
	printf '{"id":"%s","challengeId":"%s","url":"%s"}' "$@"
}

# --- who, for what, when
in_contest=$(df complete "$(payload 7b1e ch0 https://bucket.example.org/ada-challenge-ch0)")
equal "the student is the session's" ada "$(field student <<<"$in_contest")"
equal "the contest, too" c0 "$(field contest <<<"$in_contest")"
equal "the time is that of the session, in UTC" 1795458600250 "$(field submitted <<<"$in_contest")"
equal "its channel is its id" 7b1e "$(field channel <<<"$in_contest")"
equal "its priority is a contest's" 1 "$(field priority <<<"$in_contest")"
practice=$(df complete \
		"$(payload abc ch0 \
			'https://bucket.example.org/x/bob-challenge-ch0?a=/eve-challenge-ch0')")
equal "without a session the student is the URL's" bob "$(field student <<<"$practice")"
equal "and nothing is ranked" '' "$(field contest <<<"$practice")"
like "an unknown challenge" 'no challenge ch9' \
	"$(df complete "$(payload abc ch9 https://b.example.org/x)")"
like "a URL that names nobody" 'whose submission' \
	"$(df complete "$(payload abc ch0 https://b.example.org/x)")"
like "a URL that names nobody before the mark" 'the user in the URL' \
	"$(df complete "$(payload abc ch0 https://b.example.org/-challenge-ch0)")"
like "a user that is no id" 'is not made of' \
	"$(df complete "$(payload odd ch0 https://b.example.org/x)")"
like "a payload with an id that is none" 'refused=' \
	"$(df complete "$(payload "a'b" ch0 https://b.example.org/x)")"
like "quotes do nothing" 'refused=|no challenge' \
	"$(df complete "$(payload abc "x'--" https://b.example.org/x)")"

# --- contests
equal "a contest's times" '1795456800000 1795464000000' \
	"$(df contest c0 | sed -n 's/^\(starts\|ends\)=//p' | paste -sd' ')"
equal "no such contest" 0 "$(df contest c9 | field found)"

# --- challenges
mkdir "$scratch/made"
folder=$(df challenge ch0 "$scratch/made" real | field folder)
equal "the number of tests" 3 "$(df challenge ch0 "$scratch/made" real | field total)"
equal "the test file is the row's" "${tests//\'\'/\'}" "$(cat "$folder/tests/challenge.test.ts")"
equal "the same row is the same folder" "$folder" \
	"$(df challenge ch0 "$scratch/made" real | field folder)"
[ "$folder" != "$(df challenge ch0 "$scratch/made" fast | field folder)" ]
report "the fast way is another folder" "${?#0}"
sql "UPDATE \"Challenge\" SET \"testFile\" = \"testFile\" || ' ' WHERE id = 'ch0'"
[ "$folder" != "$(df challenge ch0 "$scratch/made" real | field folder)" ]
report "a changed row is another folder" "${?#0}"
equal "nothing half-made is left" '' "$(find "$scratch/made" -name '.*' -mindepth 1)"
like "a row without tests" 'totalTestCases' "$(df challenge none "$scratch/made" real)"
like "no such row" 'no challenge ch9' "$(df challenge ch9 "$scratch/made" real)"
# What it makes is a challenge: only the submission is missing.
"$run" grade "$scratch/none" --challenge "$folder" --store "$store" >"$scratch/out" 2>&1
like "a folder that grade takes" 'none: No such file' "$(cat "$scratch/out")"

# --- another schema, and a URL as Prisma has it
sql 'CREATE SCHEMA app; ALTER TABLE "Contest" SET SCHEMA app'
df_url="$postgres_url&schema=app&connection_limit=5"
equal "the URL's schema" 1 "$(df contest c0 | field found)"
df_url=
like "which is needed" 'Contest' "$(df contest c0)"

# --- messages: JSON, and in it a text that is JSON
inner() {
	"$node" -e 'const m = JSON.parse(require("fs").readFileSync(0)), d = m.data;
		console.log(m.type, d.type, d.timestamp, typeof d.message, d.message);'
}
equal "a result" 'result result 1764000000000 string {"passed":2,"total":3,"failed":1}' \
	"$("$driver" result PARTIAL 2 3 | inner)"
equal "accepted is all of them, whatever the suite counted" '{"passed":3,"total":3,"failed":0}' \
	"$("$driver" result AC 5 3 | inner | cut -d' ' -f5-)"
equal "not accepted is never all of them" '{"passed":2,"total":3,"failed":1}' \
	"$("$driver" result PARTIAL 5 3 | inner | cut -d' ' -f5-)"
equal "what failed before its tests" '{"passed":0,"total":3,"failed":3}' \
	"$("$driver" result CE 0 3 | inner | cut -d' ' -f5-)"
equal "a line" 'log log 1764000000000 string a "b"' "$("$driver" log log 'a "b"' | inner)"
equal "an error is a line, too" 'log error 1764000000000 string x' \
	"$("$driver" log error x | inner)"

# --- away
postgres_stop
like "its database is away: to be asked again" 'error=-11 ' "$(df contest c0)"
finish
