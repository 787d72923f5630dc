#!/bin/bash
# SPDX-License-Identifier: MIT
# The commands of an operator, against a queue and a ledger in which no worker takes part: admin,
# submit, top.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

runner=$build/runner/fleet/sandbox-runner
redis_start && postgres_start || exit 1
mkdir -p "$scratch/archives" "$scratch/challenges/todo"
printf 'not a zip' >"$scratch/archives/a.zip"
cat >"$scratch/config.json" <<JSON
{
	// one fleet
	"redis": { "url": "$redis_url" },
	"ledger": { "url": "$postgres_url" },
	"challenges": "challenges",
	"fetch": { "file_root": "archives" },
	"queue": { "student_waiting": 2, "depth": 5 }
}
JSON
admin() { "$runner" admin "$@" --config "$scratch/config.json" 2>"$scratch/stderr"; }
submit() { "$runner" submit "$@" --config "$scratch/config.json" 2>"$scratch/stderr"; }
said() { tr '\n' ' ' <"$scratch/stderr"; }
# of JSON on stdin: json EXPRESSION
json() {
	"$node" -e 'const r = JSON.parse(require("fs").readFileSync(0));
		const v = eval("r" + process.argv[1]);
		console.log(typeof v === "string" ? v : JSON.stringify(v));' "$1"
}

# --- before there is anything
admin contest show spring >"$scratch/out"
equal "a ledger without tables: exit code" 4 $?
like "a ledger without tables: what to do" 'admin migrate' "$(said)"
like "migrate makes the tables" 'brought up to date' "$(admin migrate)"
like "migrate again does nothing" 'is up to date' "$(admin migrate)"
like "an empty queue" 'waiting +0 ' "$(admin status)"
equal "an empty queue as JSON" 0 "$(admin status --json | json .depth)"
like "no workers" 'no worker' "$(admin workers)"
admin job nothing >/dev/null
equal "an unknown submission: exit code" 1 $?

# --- contests
admin contest set spring --rules icpc --starts 2026-11-23T18:00:00Z >/dev/null
equal "a contest without an end: exit code" 2 $?
like "a contest without an end: message" '\-\-ends' "$(said)"
admin contest set spring --rules chess --starts 2026-11-23T18:00:00Z --ends 2026-11-23T21:00:00Z \
	>/dev/null
like "unknown rules" 'icpc or points' "$(said)"
admin contest set spring --rules icpc --starts 2026-11-23 --ends 2026-11-23T21:00:00Z >/dev/null
like "a time without an hour" '2026-11-23T18:00:00Z' "$(said)"
check "a contest is set" admin contest set spring --rules icpc --starts 2026-11-23T18:00:00Z \
	--ends 2026-11-23T23:00:00+02:00
equal "its times, one of them with an offset" '2026-11-23 18:00:00 2026-11-23 21:00:00' \
	"$(admin contest show spring |
		sed -E 's/.*from ([^ ]* [^ ]*) to ([^ ]* [^ ]*) UTC.*/\1 \2/')"
equal "the default penalty" 1200 "$(admin contest show spring --json | json .penalty_s)"

# --- handing in
submit "$scratch/archives/a.zip" --student ada >/dev/null
equal "submit without a challenge: exit code" 2 $?
submit /etc/hostname --challenge todo --student ada --no-follow >/dev/null
like "a file elsewhere" 'does not lie below' "$(said)"
submit "$scratch/archives/a.zip" --challenge 'to do' --student ada --no-follow >/dev/null
equal "an id with a space: exit code" 2 $?
id=$(submit "$scratch/archives/a.zip" --challenge todo --student ada --contest spring --no-follow)
like "submit prints the id" '^[0-9a-f]{24}$' "$id"
like "and says that nobody judges" 'no worker takes submissions' "$(said)"
submit "$scratch/archives/a.zip" --challenge todo --student eve --contest sprnig --id eve \
	--no-follow >/dev/null
like "and that a contest is none" 'there is no contest sprnig .*not ranked' "$(said)"
admin cancel eve >/dev/null
equal "it waits" queued "$(admin job "$id" --json | json .state)"
equal "its URL" file:///a.zip "$(admin job "$id" --json | json .url)"
equal "its hash" "$(sha256sum <"$scratch/archives/a.zip" | cut -d' ' -f1)" \
	"$(admin job "$id" --json | json .sha256)"
equal "the same id again is the same submission" "$id" \
	"$(submit "$scratch/archives/a.zip" --challenge todo --student ada --id "$id" --no-follow)"
like "and is said to be" 'was handed in before' "$(said)"
equal "one waits, of a contest" 1 "$(admin status --json | json .waiting.contest)"
submit 'https://files.example.org/x.zip?X-Amz-Signature=secret' --challenge todo2 --student ada \
	--id signed \
	--no-follow >/dev/null
equal "a signature is not shown" 'https://files.example.org/x.zip' \
	"$(admin job signed --json | json .url)"
submit "$scratch/archives/a.zip" --challenge todo3 --student ada --no-follow >/dev/null
equal "the third that would wait: exit code" 4 $?
like "the third that would wait: message" 'too many that wait; try again' "$(said)"
submit "$scratch/archives/a.zip" --challenge todo2 --student ada --id newer --no-follow >/dev/null
like "a newer one takes the place of the older" 'the place of signed' "$(said)"
equal "which is superseded" superseded "$(admin job signed --json | json .state)"
for i in 1 2 3; do
	submit "$scratch/archives/a.zip" --challenge todo --student "s$i" --id "s$i" \
		--no-follow >/dev/null
done
submit "$scratch/archives/a.zip" --challenge todo --student s4 --no-follow >/dev/null
like "a full queue" 'the queue is full; try again' "$(said)"

# --- what the queue has forgotten
sql "INSERT INTO sandbox.result (submission, student, challenge, judge_rev, attempt, submitted_at,
		verdict, passed, total, points, max_points, archive_sha256, tests_sha256, worker,
		result)
	SELECT 'old', 'ada', 'todo', 2, 1, now(), 'WA', 0, 3, 0, 3, '', '', 'w1',
		'{\"schema\":\"sandbox-result/1\"}'" 2>"$scratch/sql.log" ||
	fail "a row in the ledger" "$(cat "$scratch/sql.log")" "$(sql '\d sandbox.result')"
like "a submission that only the ledger has" 'old: WA, as the ledger has it' "$(admin job old)"
equal "as JSON it is its result" sandbox-result/1 "$(admin job old --json | json .schema)"
admin job nothing >/dev/null
like "one that neither has" 'no submission nothing in the queue, nor in the ledger' "$(said)"
admin retry nothing >/dev/null
equal "to judge it again: exit code" 1 $?

# --- steering
like "pause" 'all submissions wait until resume' "$(admin pause)"
equal "paused" true "$(admin status --json | json .paused)"
check "resume" admin resume
equal "resumed" false "$(admin status --json | json .paused)"
admin pause spring >/dev/null
like "a paused contest is named" 'paused +contests spring' "$(admin status)"
equal "as JSON, too" '["spring"]' "$(admin status --json | json .paused_contests)"
admin resume spring >/dev/null
admin drain w9 >/dev/null
equal "to drain a worker that is not there: exit code" 1 $?
like "and what to do" 'no worker w9 was heard of .*admin workers' "$(said)"
like "to drain all" 'asked to drain' "$(admin drain '*')"
admin undrain '*' >/dev/null
for words in 'cancel s1 --dry-run' 'dead purge --all --dry-run' 'status --urgent' \
	'pause --older-than 1d'; do
	# shellcheck disable=SC2086
	admin $words >/dev/null
	equal "admin $words: exit code" 2 $?
	like "it is said what is too much" "${words%% *} does not take --" "$(said)"
done
equal "and nothing of it was done" queued "$(admin job s1 --json | json .state)"
like "cancel" 'cancelled' "$(admin cancel s1)"
equal "it is cancelled" cancelled "$(admin job s1 --json | json .state)"
admin cancel s1 >/dev/null
equal "cancelled twice: exit code" 0 $?
like "who follows a cancelled one is told" '^cancelled$' \
	"$(submit "$scratch/archives/a.zip" --challenge todo --student s1 --id s1)"
equal "rejudge, dry: what waits needs nothing" '0 1' \
	"$(admin rejudge --student s2 --dry-run --json | json '.queued + " " + r.waiting')"
admin rejudge --contest nothing >/dev/null
equal "rejudge of nothing: exit code" 1 $?
like "and is said" 'nothing to be judged again' "$(said)"
admin job 'a b' >/dev/null
equal "a malformed id: exit code" 2 $?
admin rejudge >/dev/null
equal "rejudge without a selection: exit code" 2 $?

# --- dead letters
redis rpush submissions '{"id":' >/dev/null
equal "no dead letters" '' "$(admin dead ls)"
admin dead requeue 1-1 >/dev/null
equal "an unknown letter: exit code" 1 $?
admin dead purge >/dev/null
equal "purge of nothing in particular: exit code" 2 $?

# --- ranks
like "an empty leaderboard" 'RANK +STUDENT' "$(admin rank show spring)"
admin rank show sprnig >/dev/null
equal "that of a contest that is none: exit code" 1 $?
like "and is said" 'there is no contest sprnig' "$(said)"
"$runner" admin migrate --redis-url "$redis_url" 2>"$scratch/stderr"
equal "where the ledger is not said: exit code" 2 $?
equal "the ledger's, as JSON" '[]' "$(admin rank show spring --from-ledger --json)"
like "rebuild" '0 students' "$(admin rank rebuild spring)"

# --- loadgen
redis flushall >/dev/null
sed -i 's/"depth": 5/"depth": 500/' "$scratch/config.json"
like "loadgen" '^30 submissions of 4 students' \
	"$(admin loadgen 30 --url file:///a.zip --challenge todo --students 4)"
equal "none of them superseded another" 30 "$(admin status --json | json .depth)"

# --- bundle
check "bundle" admin bundle "$(redis zrange 'sbx:{q}:queued' 0 0)" --out "$scratch/bundle"
equal "a bundle has the archive" 'not a zip' "$(cat "$scratch/bundle/submission.zip")"
check "and the challenge, as a copy" test -d "$scratch/bundle/challenge"
like "a challenge that cannot be loaded is told" \
	'the challenge cannot be loaded: .*challenge.json' "$(said)"
equal "hashes of what is in it" "$(sha256sum <"$scratch/bundle/submission.zip" | cut -d' ' -f1)" \
	"$(json '.files["submission.zip"]' <"$scratch/bundle/bundle.json")"
check "and says what is configured" grep -q '"file_root"' "$scratch/bundle/config.json"

# --- top
like "top, once" 'waiting 30 ' "$("$runner" top --once --config "$scratch/config.json")"
equal "top, as JSON" 30 \
	"$("$runner" top --once --json --config "$scratch/config.json" | json .status.depth)"
"$runner" top --config "$scratch/config.json" >/dev/null 2>"$scratch/stderr"
equal "top on no terminal: exit code" 2 $?

# --- doctor
doctor() { "$runner" doctor --config "$scratch/config.json" "$@" 2>"$scratch/stderr"; }
cp -r "$cars/challenge" "$scratch/challenges/cars"
doctor >"$scratch/out"
equal "a challenge that is none fails: exit code" 1 $?
like "and is said where" 'FAIL +challenge +.*todo' "$(cat "$scratch/out")"
rm -r "$scratch/challenges/todo"
doctor >"$scratch/out"
equal "a fleet that is well: exit code" 0 $?
equal "all of it" '' "$(doctor --quiet)"
like "its challenges are counted" 'PASS +challenges +1, all' "$(cat "$scratch/out")"
redis config set maxmemory 100mb >/dev/null
redis config set maxmemory-policy allkeys-lru >/dev/null
doctor --quiet >"$scratch/out"
equal "a Redis that evicts: exit code" 1 $?
like "and why" 'maxmemory-policy' "$(cat "$scratch/out")"
equal "as JSON" fail "$(doctor --json | json '.checks.find((c) => c.name === "redis").status')"
equal "where the ledger is not said: exit code" 1 \
	"$("$runner" doctor --redis-url "$redis_url" >/dev/null 2>&1; echo $?)"

# --- Redis away
redis_stop
doctor >/dev/null
equal "doctor, Redis away: exit code" 1 $?
admin status >/dev/null
equal "Redis away: exit code" 4 $?
like "Redis away: message" "$redis_socket" "$(said)"
finish
