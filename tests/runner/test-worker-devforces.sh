#!/bin/bash
# SPDX-License-Identifier: MIT
# A worker in front of which DevForces' backend runs unchanged: SUBSCRIBE to the id, LPUSH, lines of
# log, then exactly one result. Its rows are read from a Postgres with its tables.
# alone: what is left on the host is counted
. "$(dirname "$0")/worker.sh"
listeners=()
stop_all() {
	[ -z "$worker" ] || worker_stop QUIT
	kill "${listeners[@]}" 2>/dev/null
}

challenge_notes || exit 1
mv "$scratch/archives/good.zip" "$scratch/archives/ada-challenge-notes"
printf 'PK\003\004 and then nothing' >"$scratch/archives/bob-challenge-notes"

cat >"$scratch/notes.test.ts" <<'TS'
import axios from 'axios';
import { describe, expect, it } from 'vitest';
const api = axios.create({ baseURL: 'http://localhost:8000', validateStatus: () => true });
describe('notes', () => {
	it('lists them', async () => {
		expect((await api.get('/notes')).status).toBe(200);
	});
	it('has no such page', async () => {
		expect((await api.get('/nothing-there')).status).toBe(404);
	});
	it('makes coffee', async () => {
		expect((await api.get('/notes')).status).toBe(418);
	});
});
TS
sql 'CREATE TABLE "Contest" (id text PRIMARY KEY, duration integer NOT NULL,
	"startsAt" timestamptz(3) NOT NULL)'
sql 'CREATE TABLE "Challenge" (id text PRIMARY KEY, "testFile" text NOT NULL,
	"totalTestCases" integer NOT NULL, "contestId" text NOT NULL)'
sql 'CREATE TABLE "SubmissionSession" (token text UNIQUE NOT NULL, "userId" text NOT NULL,
	"contestId" text NOT NULL, status text NOT NULL, "createdAt" timestamp(3) NOT NULL)'
sql "INSERT INTO \"Contest\" VALUES ('spring', 7200, now() - interval '10 minutes')"
sql "INSERT INTO \"Challenge\" VALUES ('notes', '$(sed "s/'/''/g" \
		"$scratch/notes.test.ts")', 3, 'spring'),
	('broken', 'import { nothing } from ''./not-there''; nothing();', 4, 'spring')"
sql "INSERT INTO \"SubmissionSession\" VALUES ('in-contest', 'ada', 'spring', 'pending',
	now() AT TIME ZONE 'UTC')"
worker_config <<JSON || exit 1
{
	"name": "w1", "slots": 1, "store": "$store",
	"redis": { "url": "$redis_url" }, "ledger": { "url": "$postgres_url" }, "queue": { "max_attempts": 1 },
	"fetch": { "file_root": "archives" },
	"compat": { "devforces": "publish+rank", "folder": "devforces",
		"database_url": "$postgres_url&schema=public&connection_limit=5" }
}
JSON

listen() { # ID: what is published on it goes to $scratch/ID.heard
	redis-cli -s "$redis_socket" subscribe "$1" >"$scratch/$1.heard" 2>&1 </dev/null &
	listeners+=($!)
	until_true 200 grep -qx 1 "$scratch/$1.heard"
}
push() { # ID CHALLENGE URL, as its backend does
	redis lpush submissions "{\"id\":\"$1\",\"challengeId\":\"$2\",\"url\":\"$3\"}" >/dev/null
}
# The messages, a line each: outer type, inner type, message.
heard() {
	"$node" -e 'for (const l of require("fs").readFileSync(process.argv[1], "utf8").split("\n"))
		if (l.startsWith("{")) { const m = JSON.parse(l); console.log(m.type, m.data.type,
			Number.isInteger(m.data.timestamp), m.data.message); }' "$scratch/$1.heard"
}
letters() { "$runner" admin dead ls --json --config "$config" | grep -c "\"kind\":\"payload\""; }
results() { heard "$1" | grep -c '^result '; }
has_result() { [ "$(results "$1")" = 1 ]; }

worker_start

# --- one that passes two of three, in a contest
listen in-contest
push in-contest notes file:///ada-challenge-notes
until_true 2400 has_result in-contest
equal "one result, in two levels of JSON" 'result result true {"passed":2,"total":3,"failed":1}' \
	"$(heard in-contest | grep '^result ')" "$(tail -20 "$log")"
like "lines of log before it" \
	'^log log true .*log error true PARTIAL: 2 of 3 tests passed result result' \
	"$(heard in-contest | paste -sd' ')"
report "and not too many of them" "$([ "$(heard in-contest | wc -l)" -lt 50 ] || heard in-contest)"
like "nothing after it" '^result' "$(heard in-contest | tail -1)"
equal "the ledger has it, as DevForces counts" 'ada|spring|notes|PARTIAL|2|3' \
	"$(sql "SELECT student, contest, challenge, verdict, passed, total FROM sandbox.result
		WHERE submission = 'in-contest'")"
like "it is ranked" 'ada' "$("$runner" admin rank show spring --config "$config")"
"$runner" admin bundle in-contest --out "$scratch/bundle" --config "$config" >/dev/null
like "by hand, from a bundle with its row as a challenge, it is the same" \
	'The same as in the bundle: PARTIAL, 2 of 3' \
	"$("$run" grade --bundle "$scratch/bundle" --quiet --store "$store" 2>&1)"

# --- failures of every kind are results as well, all tests failed
listen broken-zip
push broken-zip notes file:///bob-challenge-notes
until_true 2400 has_result broken-zip
equal "a broken archive" '{"passed":0,"total":3,"failed":3}' \
	"$(heard broken-zip | sed -n 's/^result result true //p')"
listen gone
push gone notes file:///nobody-challenge-notes
until_true 2400 has_result gone
equal "an archive that is not there" '{"passed":0,"total":3,"failed":3}' \
	"$(heard gone | sed -n 's/^result result true //p')"
listen unloadable
cp "$scratch/archives/ada-challenge-notes" "$scratch/archives/ada-challenge-broken"
push unloadable broken file:///ada-challenge-broken
until_true 2400 has_result unloadable
equal "tests that cannot be loaded are no success" '{"passed":0,"total":4,"failed":4}' \
	"$(heard unloadable | sed -n 's/^result result true //p')"
equal "of nobody known: its student is the URL's" 'bob|' \
	"$(sql "SELECT student, contest FROM sandbox.result WHERE submission = 'broken-zip'")"

# --- pushed before anybody listens
push late notes file:///bob-challenge-notes
until_true 2400 is_in_state late done
listen late
until_true 400 has_result late
equal "who listens late hears it" 1 "$(results late)"

# --- the same twice is one; what makes no sense is a dead letter
push in-contest notes file:///ada-challenge-notes
redis lpush submissions '{"id":' '[]' \
	'{"id":"x","challengeId":"none","url":"file:///ada-challenge-none"}' >/dev/null
until_true 400 eval '[ "$(letters)" = 3 ]'
equal "three dead letters" 3 "$(letters)"
like "one says why" 'no challenge none' "$("$runner" admin dead ls --config "$config")"

# --- its database cannot be asked, while its tables are changed, say: no fault of a payload
sql 'ALTER TABLE "Challenge" RENAME TO "Other"'
listen patient
push patient notes file:///bob-challenge-notes
until_true 400 grep -q 'DevForces. database: .*payloads wait until it answers' "$log"
equal "a payload waits while it cannot be looked up" '1 3' \
	"$(redis llen 'sbx:{q}:intake') $(letters)"
sql 'ALTER TABLE "Other" RENAME TO "Challenge"'
until_true 2400 has_result patient
equal "and is judged then" 1 "$(results patient)"
# --- nor of a submission that is just begun; what is gone for good is
admin() { "$runner" admin "$@" --config "$config" >/dev/null; }
sql "INSERT INTO \"Challenge\" VALUES ('gone-soon', 'it', 3, 'spring')"
cp "$scratch/archives/bob-challenge-notes" "$scratch/archives/bob-challenge-gone-soon"
admin pause
for id in begun orphan; do
	listen $id
done
push begun notes file:///bob-challenge-notes
push orphan gone-soon file:///bob-challenge-gone-soon
until_true 400 is_in_state begun queued
until_true 400 is_in_state orphan queued
sql "DELETE FROM \"Challenge\" WHERE id = 'gone-soon'"
sql 'ALTER TABLE "Challenge" RENAME TO "Other"'
admin resume
until_true 400 has_logged 'Other\|the ledger: .*asked again until it answers'
equal "one waits for the database with its first attempt" 'running 1' \
	"$(field begun state) $(field begun att)"
sql 'ALTER TABLE "Other" RENAME TO "Challenge"'
until_true 2400 has_result begun
equal "and is judged then" 'CE 1' "$(field begun verdict) $(field begun att)"
until_true 2400 has_result orphan
equal "what has no challenge any more is our failure, at once" 'IE 1' \
	"$(field orphan verdict) $(field orphan att)"
equal "its page is not told of a success" '{"passed":0,"total":1,"failed":1}' \
	"$(heard orphan | sed -n 's/^result result true //p')"
equal "nothing is left in the lists" '0 0' \
	"$(redis llen submissions) $(redis llen 'sbx:{q}:intake')"
equal "one result each" '' \
	"$(sql 'SELECT submission FROM sandbox.result GROUP BY 1 HAVING count(*) > 1')"
for id in in-contest broken-zip gone unloadable late; do
	equal "$id: heard once" 1 "$(results "$id")"
done

worker_stop TERM
equal "the worker ends well" 0 $status
servers_stop
nothing_left "$before"
finish
