#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-runner run: submissions through it, its ends, and everything killed in the middle. Each
# submission has exactly one result afterwards, and nothing is left behind.
# alone: what is left on the host is counted
. "$(dirname "$0")/worker.sh"

# ---------------------------------------------------------------- challenges
challenge_notes || exit 1
# A server that never answers, for as long as a test needs it: what is in the middle stays there.
cp -r "$scratch/made" "$scratch/challenges/patient"
"$node" -e 'const fs = require("fs"), f = process.argv[1];
	const c = JSON.parse(fs.readFileSync(f, "utf8").replace(/^\s*\/\/.*$/gm, ""));
	c.limits = { ...c.limits, boot: "600s", cpu_time: "600s" };
	fs.writeFileSync(f, JSON.stringify(c));' "$scratch/challenges/patient/challenge.json" ||
	exit 1
mkdir "$scratch/silent"
echo 'setInterval(() => {}, 1000);' >"$scratch/silent/server.js"
zip_folder "$scratch/silent" "$scratch/archives/silent.zip"
printf 'PK\003\004 and then nothing' >"$scratch/archives/broken.zip"
: >"$scratch/archives/empty.zip"
mkdir "$scratch/challenges/wrong-one"
echo '{ "title": 1 }' >"$scratch/challenges/wrong-one/challenge.json"

worker_config <<JSON || exit 1
{
	"name": "w1", "slots": 1, "challenges": "challenges", "store": "$store",
	"redis": { "url": "$redis_url", "timeout": "1s" },
	"ledger": { "url": "$postgres_url" },
	"queue": { "lease": "3s", "student_running": 4, "student_waiting": 100 },
	"fetch": { "file_root": "archives" },
	"listen": "unix:$scratch/ops.sock",
	"log": { "level": "debug" }
}
JSON

# ------------------------------------------------------------------- helpers
submit() { # ID ARCHIVE CHALLENGE [OPTION...]
	local id=$1 archive=$2 challenge=$3
	shift 3
	"$runner" submit "$scratch/archives/$archive" --id "$id" --student "s-$id" \
		--challenge "$challenge" --no-follow --quiet --config "$config" "$@" >/dev/null
}

# How often a stage of the submission began.
begun() { redis xrange "sbx:{q}:log:$1" - + | grep -c "\"stage\":\"$2\",\"done\":false"; }
has_begun() { [ "$(begun "$1" "$2")" -ge "$3" ]; }
result() { sql "SELECT verdict, passed, total FROM sandbox.result WHERE submission = '$1'"; }
rows() { sql "SELECT count(*) FROM sandbox.result WHERE submission = '$1'"; }
has_row() { [ "$(rows "$1")" = 1 ]; }
events() { redis --raw xrange 'sbx:{q}:results' - + | grep -cx "$1"; }

done_once() { # NAME ID VERDICT
	until_true 1200 is_in_state "$2" done || {
		fail "$1" "state: $(state "$2")" "$(tail -20 "$log")"
		return
	}
	equal "$1" "$3 1 1" "$(result "$2" | cut -d'|' -f1) $(rows "$2") $(events "$2")" \
		"$(tail -20 "$log")"
}

# The submission is at a place where it stays.
in_the_middle() { # ID [TIMES]
	await "$1 is in the middle" has_begun "$1" ready "${2:-1}"
}

# ---------------------------------------------------------------- in general
worker_start
until_true 1200 has_logged 'serves with 1 slots' || {
	fail "a worker serves" "$(tail -20 "$log")"
	finish
	exit 1
}
submit good good.zip notes
done_once "an accepted submission" good AC
equal "its result has the tests' hash, and the archive's" \
	"64 $(sha256sum <"$scratch/archives/good.zip" | cut -c1-64)" \
	"$(sql "SELECT length(tests_sha256), archive_sha256 FROM sandbox.result
		WHERE submission = 'good'" \
		| tr '|' ' ')"
submit wrong wrong.zip notes
done_once "one that fails tests" wrong PARTIAL
submit broken broken.zip notes
done_once "an archive that is none" broken CE
submit empty empty.zip notes
done_once "an empty archive" empty CE
like "the live log ends with the reason" 'All .* tests passed' \
	"$(redis --raw xrange 'sbx:{q}:log:good' - +)"

cp "$scratch/archives/good.zip" "$scratch/archives/missing.zip"
kill -STOP "$(judge)"
submit blocked good.zip notes
await "the slot is busy" is_in_state blocked running
submit missing missing.zip notes
rm "$scratch/archives/missing.zip"
kill -CONT "$(judge)"
done_once "the one before it" blocked AC
done_once "an archive that is not there any more" missing CE

await "the worker rests" eval '[ -z "$(redis zrange "sbx:{q}:leases" 0 -1)" ]'
equal "its judge has no password, nor the address of a server" "" \
	"$(tr '\0' '\n' <"/proc/$(judge)/environ" |
		grep -iE 'redis|postgres(ql)?:|LEDGER|SANDBOX_RUNNER')"
sockets() { find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' | sort; }
equal "nor a connection of its slot" "" \
	"$(comm -12 <(sockets "$(judge)") <(sockets "$(slots | head -1)"))"
check "which has some" test -n "$(sockets "$(slots | head -1)")"
curl -s --unix-socket "$scratch/ops.sock" http://x/readyz >"$scratch/readyz"
like "its endpoints say that it is ready" 'ok' "$(cat "$scratch/readyz")"
like "and count" 'sandbox_runner_jobs_finished_total\{verdict="AC"\} [0-9]+' \
	"$(curl -s --unix-socket "$scratch/ops.sock" http://x/metrics)"

# ---------------------------------------------------------------- the ledger
sql "INSERT INTO sandbox.result SELECT (jsonb_populate_record(r,
	'{\"submission\": \"known\", \"student\": \"s-known\"}')).*
	FROM sandbox.result r WHERE submission = 'wrong'"
submit known good.zip notes
done_once "a result that the ledger has is committed" known PARTIAL
equal "and not judged again" 0 "$(begun known unpack)"

# -------------------------------------------------------------------- bundle
bundle=$scratch/bundle
again() { "$run" grade --bundle "$bundle" "$@" 2>&1; }
refused() { # NAME PATTERN: as it stands it is refused, before any jail
	local out
	out=$(again)
	equal "$1: exit code" 2 $? "$out"
	like "$1: what is said" "$2" "$out"
}
check "a bundle of what was judged" "$runner" admin bundle wrong --out "$bundle" --config "$config"
mv "$scratch/archives/wrong.zip" "$scratch/wrong.zip"
mv "$scratch/challenges/notes" "$scratch/notes"
out=$(again --quiet --store "$store")
equal "it is judged without fleet, archive and challenge: exit code" 1 $? "$out"
like "and the verdict is the same" 'The same as in the bundle: PARTIAL, [0-9]+ of [0-9]+' "$out"
mv "$scratch/wrong.zip" "$scratch/archives/wrong.zip"
mv "$scratch/notes" "$scratch/challenges/notes"
sed -i 's/"verdict": *"PARTIAL"/"verdict":"AC"/' "$bundle/result.json"
refused "a result that was changed" 'result.json is not what it was: SHA-256'
rm "$bundle/result.json"
refused "a file that is missing" 'result.json is missing; make the bundle anew'
sed -i 's/"result.json":\s*"[0-9a-f]*",//' "$bundle/bundle.json"
echo '// changed' >>"$bundle/challenge/challenge.json"
refused "a challenge that was changed" 'its challenge is not what it was when the bundle was made'
sed -i 's/"challenge_sha256":\s*"[0-9a-f]*"/"challenge_sha256": ""/' "$bundle/bundle.json"
refused "one that was changed before the bundle was made" \
	'the challenge was changed between the verdict .*--challenge'
sed -i 's|sandbox-bundle/1|sandbox-bundle/2|' "$bundle/bundle.json"
refused "a bundle of another version" 'its schema is "sandbox-bundle/2"'
echo '{' >"$bundle/bundle.json"
refused "one that is cut off" 'bundle.json:[0-9]+:[0-9]+: this is not JSON'
rm "$bundle/bundle.json"
refused "one that is not whole" 'bundle.json: No such file .*it is not whole'
bundle=$scratch/nothing
refused "one that is not there" \
	'No such file or directory; it is a folder that sandbox-runner admin bundle wrote'
"$run" grade --bundle "$scratch/bundle" --challenge x >/dev/null 2>&1
equal "a bundle and a challenge: exit code" 2 $?

# --------------------------------------------------------------------- kills
submit slot-killed silent.zip patient
in_the_middle slot-killed
victim=$(slots | head -1)
kill -KILL "$victim"
in_the_middle slot-killed 2
equal "a slot that is killed: its job runs again, as the second attempt" 2 \
	"$(redis hget 'sbx:{q}:job:slot-killed' att)"
"$runner" admin cancel slot-killed --config "$config" >/dev/null
done_once "one that is cancelled while it runs" slot-killed CANCELLED

submit judge-killed silent.zip patient
in_the_middle judge-killed
kill -KILL "$(judge)"
in_the_middle judge-killed 2
"$runner" admin cancel judge-killed --config "$config" >/dev/null
done_once "a judge that is killed: its job runs again" judge-killed CANCELLED

cp "$scratch/archives/silent.zip" "$scratch/archives/mutable.zip"
submit overwritten mutable.zip patient
in_the_middle overwritten
cp "$scratch/archives/good.zip" "$scratch/archives/mutable.zip"
kill -KILL "$(judge)"
done_once "an archive that was overwritten since the first attempt is not judged" overwritten \
	SUPERSEDED

submit runner-killed silent.zip patient
in_the_middle runner-killed
children=$(slots)
kill -KILL "$worker"
wait "$worker" 2>/dev/null
await "a supervisor that is killed: its slots end" eval '! kill -0 $children 2>/dev/null'
worker=
nothing_left "$before"
worker_start
in_the_middle runner-killed 2
equal "and its job is taken again, as the same attempt" 1 \
	"$(redis hget 'sbx:{q}:job:runner-killed' att)"

# All at once: nobody gives anything back, the lease does.
children="$(slots) $(judge) $worker"
# shellcheck disable=SC2086
kill -KILL $children
wait "$worker" 2>/dev/null
worker=
worker_start
in_the_middle runner-killed 3
"$runner" admin cancel runner-killed --config "$config" >/dev/null
done_once "all of a worker killed: the lease brings its job back" runner-killed CANCELLED

# --------------------------------------------------------------- what is away
await "there is a judge" has_judge
kill -STOP "$(judge)"
submit redis-away good.zip notes
await "it is claimed" is_in_state redis-away running
redis_stop redis TERM
kill -CONT "$(judge)"
await "with Redis away the result gets into the ledger" has_row redis-away
redis_start
done_once "and is committed when Redis is back" redis-away AC

await "there is a judge" has_judge
kill -STOP "$(judge)"
submit ledger-away good.zip notes
await "it is claimed" is_in_state ledger-away running
lines=$(logged 'the ledger: ')
postgres_stop postgres INT
kill -CONT "$(judge)"
await "with Postgres away the result is held" has_logged 'the ledger: ' $((lines + 1))
equal "and not committed" running "$(state ledger-away)"
postgres_start
done_once "and kept and committed when it is back" ledger-away AC

# --------------------------------------------------------------- what is ours
submit no-challenge good.zip nowhere
await "a challenge that is not there: the first attempt" has_logged \
	'attempt 1 failed: there is no challenge nowhere'
await "is not the last" is_in_state no-challenge queued
"$runner" admin cancel no-challenge --config "$config" >/dev/null
worker_stop TERM
equal "a drain without anything to finish: exit code" 0 $status
worker_start --queue-max-attempts 1
submit wrong-challenge good.zip wrong-one
done_once "a challenge that is wrong: IE" wrong-challenge IE
like "the operator is told where" 'given up after 1 attempts: .*challenge.json:1' "$(cat "$log")"
equal "the student is not" 0 \
	"$(redis --raw xrange 'sbx:{q}:log:wrong-challenge' - + | grep -c 'challenge.json')"

submit poison silent.zip patient
in_the_middle poison
kill -KILL "$(slots | head -1)"
done_once "a job whose last attempt is lost with its slot is given up: IE" poison IE
like "and is a dead letter that says why" 'slot 0 died: signal 9' \
	"$("$runner" admin dead ls --config "$config")"

# ---------------------------------------------------------------------- ends
submit drained good.zip notes
await "it is done" is_in_state drained done
await "there is a judge" has_judge
kill -STOP "$(judge)"
submit drained2 good.zip notes
await "it is claimed" is_in_state drained2 running
submit waits good.zip notes
kill -TERM "$worker"
await "SIGTERM drains" has_logged 'draining: 1 submissions'
kill -CONT "$(judge)"
wait "$worker"
equal "what ran is finished: exit code" 0 $?
worker=
done_once "and committed" drained2 AC
equal "what waits, waits" queued "$(state waits)"
nothing_left "$before"

worker_start
done_once "until another worker takes it" waits AC
submit stopped silent.zip patient
in_the_middle stopped
kill -TERM "$worker"
await "SIGTERM drains" has_logged 'draining: 1 submissions' 2
worker_stop TERM
equal "the second one ends it at once: exit code" 0 $status
equal "and what ran is given back" queued "$(state stopped)"
equal "which is no attempt" 0 "$(redis hget 'sbx:{q}:job:stopped' att)"
nothing_left "$before"
worker_start --drain-timeout 500ms
in_the_middle stopped 2
worker_stop TERM
equal "drain_timeout is the same" "0 queued" "$status $(state stopped)"
"$runner" admin cancel stopped --config "$config" >/dev/null

# -------------------------------------------------------------------- reload
worker_start
submit reloaded good.zip notes
done_once "before a reload" reloaded AC
sed -i 's/"slots": 1/"slots": 2/; s/"level": "debug"/"level": "info"/' "$config"
kill -HUP "$worker"
await "SIGHUP reads the configuration again" has_logged 'the configuration was read again; 2 slots'
has_slots() { [ "$(slots | wc -l)" = "$1" ]; }
await "and there are as many slots as it says" has_slots 2
sed -i 's/"name": "w1"/"name": "w2"/' "$config"
kill -HUP "$worker"
await "what cannot change is said" has_logged 'name cannot be changed while the worker runs'
sed -i 's/"name": "w2"/"nmae": "w1"/' "$config"
kill -HUP "$worker"
await "and what is wrong" has_logged 'the configuration stays as it was: .*did you mean'
sed -i 's/"nmae"/"name"/' "$config"
submit reloaded2 good.zip notes
done_once "and it goes on" reloaded2 AC
"$runner" admin drain w1 --config "$config" >/dev/null
await "an administrator drains it: its slots end" has_slots 0
submit rests good.zip notes
"$runner" admin undrain w1 --config "$config" >/dev/null
done_once "and lets it go on" rests AC
kill -USR1 "$worker"
await "SIGUSR1 tells of the slots" has_logged '"msg":"slot 0: idle"'
worker_stop TERM

# --------------------------------------------------------------------- begin
mkdir "$scratch/policies"
cp "$source_dir"/policies/*.json "$scratch/policies"
sed -i 's/"optional": \["landlock"\]/"optoinal": []/' "$scratch/policies/base.json"
"$runner" run --config "$config" --policies "$scratch/policies" >"$scratch/out" 2>&1
equal "policies that cannot be used: exit code" 4 $?
like "and a sentence" 'not serving, since submissions cannot be isolated.*optoinal' \
	"$(cat "$scratch/out")"

good_url=$redis_url good_socket=$redis_socket
redis_start forgetful --maxmemory 100mb --maxmemory-policy allkeys-lru
"$runner" run --config "$config" --redis-url "$redis_url" >"$scratch/out" 2>&1
equal "a Redis that throws keys away: exit code" 4 $?
like "and a sentence" 'not serving: .*(evict|maxmemory)' "$(cat "$scratch/out")"
redis_stop forgetful
redis_url=$good_url redis_socket=$good_socket

cat >"$scratch/notified.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    text = s.recv(4096).decode()
    print(text.replace("\n", " "), flush=True)
    if "STOPPING" in text:
        break
PY
python3 "$scratch/notified.py" "$scratch/notify" >"$scratch/notified" &
listener=$!
await "somebody listens" grep -q bound "$scratch/notified"
NOTIFY_SOCKET=$scratch/notify WATCHDOG_USEC=200000 "$runner" run --config "$config" >>"$log" 2>&1 &
worker=$!
await "the service manager hears that it is ready" grep -q '^READY=1' "$scratch/notified"
await "and that it is alive" grep -q 'WATCHDOG=1' "$scratch/notified"
kill -HUP "$worker"
await "and that it reloads" grep -q 'RELOADING=1 MONOTONIC_USEC=' "$scratch/notified"
worker_stop TERM
await "and that it ends" grep -q 'STOPPING=1' "$scratch/notified"
wait "$listener"
nothing_left "$before"
equal "no result came twice" "" \
	"$(sql 'SELECT submission FROM sandbox.result GROUP BY submission HAVING count(*) > 1')"
finish
