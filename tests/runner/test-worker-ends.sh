#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-runner run: every submission ends with one row in the ledger, also one that no judge ever
# sees, that the ledger or Redis takes only in another shape, or whose record somebody has damaged.
# Nothing is judged here.
# alone: what is left on the host is counted
. "$(dirname "$0")/worker.sh"

mkdir -p "$scratch/archives" "$scratch/challenges/notes"
worker_config <<JSON || exit 1
{
	"name": "w1", "slots": 1, "challenges": "challenges", "store": "$store",
	"redis": { "url": "$redis_url", "timeout": "1s" },
	"ledger": { "url": "$postgres_url", "timeout": "1s" },
	"queue": { "lease": "2s", "student_waiting": 100, "max_attempts": 1, "keep": "2h" },
	"fetch": { "file_root": "archives", "timeout": "1s" },
	"log": { "level": "debug", "format": "json" }
}
JSON
admin() { "$runner" admin "$@" --config "$config"; }

# ------------------------------------------------------------------- helpers
submit() { # ID STUDENT [OPTION...]
	local id=$1 student=$2
	shift 2
	"$runner" submit "$scratch/archives" --id "$id" --student "$student" --challenge notes \
		--no-follow --quiet --config "$config" "$@" >/dev/null
}

enqueue() { # ID STUDENT [CONTEST]: as a producer does, through a list
	redis lpush submissions \
		"{\"id\":\"$1\",\"student\":\"$2\",\"challenge\":\"notes\",\"url\":\"file:///$1.zip\",\"contest\":\"${3:-}\"}" \
		>/dev/null
}

rows() {
	sql "SELECT judge_rev, student, verdict FROM sandbox.result
		WHERE submission = '$1' ORDER BY 1" \
		| xargs
}
has_row() { [ -n "$(rows "$1")" ]; }
events() { redis --raw xrange 'sbx:{q}:results' - + | grep -cx "$1"; }
all_recorded() { [ "$(redis zcard 'sbx:{q}:ended')" = 0 ]; }

# ------------------------------------------------------ ends without a judge
admin contest set autumn --rules icpc --starts 2020-01-01T00:00:00Z --ends 2099-01-01T00:00:00Z \
	>/dev/null
sql "INSERT INTO sandbox.result (submission, judge_rev, student, contest, challenge, attempt,
		submitted_at, verdict, passed, total, points, max_points, archive_sha256,
		tests_sha256, worker, result) VALUES
	('first', 1, 'ann', 'autumn', 'notes', 1, '2026-01-01', 'AC', 1, 1, 1000, 1000, '', '',
		'w1', '{}'),
	('second', 1, 'bob', 'autumn', 'notes', 1, '2026-01-01', 'WA', 0, 1, 0, 1000, '', '',
		'w1', '{}')"
admin rank rebuild autumn >/dev/null
board() { admin rank show autumn "$@" | grep -v '^ *$'; }
standings=$(board)
admin pause >/dev/null
worker_run() { worker_start --queue-intake submissions; }
worker_run
enqueue old ann autumn
await "one waits" is_in_state old queued
enqueue new ann autumn
await "and another takes its place" is_in_state old superseded
enqueue gone bob autumn
await "a third waits" is_in_state gone queued
like "it is cancelled" 'cancelled; it was waiting' "$(admin cancel gone)"
await "both are in the ledger" has_row gone
await "and nothing is left to record" all_recorded
equal "each once" "1|ann|SUPERSEDED 1|bob|CANCELLED" "$(rows old) $(rows gone)"
equal "with one event" "1 1" "$(events old) $(events gone)"
equal "and a result that says why" "SUPERSEDED CANCELLED" \
	"$(sql "SELECT result::jsonb->>'verdict' FROM sandbox.result
		WHERE submission IN ('old', 'gone') ORDER BY submission DESC" \
		| xargs)"
ttl=$(redis ttl 'sbx:{q}:job:gone')
equal "it is kept in Redis for as long as is configured" 1 "$((ttl > 0 && ttl <= 7200))"
equal "nobody's rank has changed" "$standings" "$(board)"
admin rank rebuild autumn >/dev/null
equal "nor when it is made again" "$standings" "$(board)"
equal "as the ledger has it" "$(board --from-ledger)" "$(board)"
like "admin job shows how it ended" 'superseded, SUPERSEDED' "$(admin job old)"

# ------------------------------------------------- whatever dies in between
postgres_stop
enqueue new2 ann autumn
await "superseded while the ledger is away" is_in_state new superseded
await "which is said once" has_logged 'what ended without a judge waits'
like "status counts it" '1 ended before they were begun' "$(admin status)"
worker_stop KILL
redis_stop redis KILL
redis_start
equal "Redis still has it" 1 "$(redis zcard 'sbx:{q}:ended')"
postgres_start
worker_run
await "everything was killed, and it is recorded" has_row new
await "once" all_recorded
redis zadd 'sbx:{q}:ended' 1 \
	"$(printf 'new/1/ann/autumn/notes/%s/SUPERSEDED' "$(field new submitted)")" >/dev/null
await "told twice" all_recorded
equal "it is one row" "1|ann|SUPERSEDED" "$(rows new)"

# the one that the ledger can never take is an operator's affair
redis zadd 'sbx:{q}:ended' 1 odd/1/ann/autumn/notes/1/NONSENSE >/dev/null
await "an end that there is not" all_recorded
like "is a dead letter" 'odd.*nothing ends like that' "$(admin dead ls)"
equal "and has no row" "" "$(rows odd)"
admin cancel new2 >/dev/null
await "the last one" all_recorded

# ------------------------------- a row that somebody has written, which is no result
standing() { # ID VERDICT RESULT
	sql "INSERT INTO sandbox.result (submission, judge_rev, student, challenge, attempt,
			submitted_at, verdict, passed, total, points, max_points, archive_sha256,
			tests_sha256, worker, result)
		VALUES ('$1', 1, 's-$1', 'notes', 1, '2026-01-01',
			'$2', 1, 1, 1000, 1000, '', '', 'w1', $3)"
}
standing no-verdict 'NO GOOD' "'{}'"
standing too-large AC "'{\"x\":\"' || repeat('x', 1100000) || '\"}'"
for id in no-verdict too-large; do
	enqueue $id s-$id
done
admin resume >/dev/null
for id in no-verdict too-large; do
	await "$id: the submission has an end" is_in_state $id done
	equal "$id: it is our failure, told once" "IE 1" "$(field $id verdict) $(events $id)"
	like "$id: with a dead letter" "$id .*cannot be committed" "$(admin dead ls | tr -s ' ')"
	like "$id: the ledger keeps what it has" "^1\\|s-$id\\|(NO GOOD|AC)\$" "$(rows $id)"
done

# ------------------------------------------------- a row that Postgres refuses
sql "ALTER TABLE sandbox.result ADD CONSTRAINT strange CHECK (student <> 'dan')"
enqueue refused dan
await "what the ledger refuses has an end" is_in_state refused done
equal "it is our failure, too" "IE 1 " "$(field refused verdict) $(events refused) $(rows refused)"
sql 'ALTER TABLE sandbox.result DROP CONSTRAINT strange'

# --------------------------------------------------------- a record that is damaged
admin pause >/dev/null
enqueue damaged eve
await "it waits" is_in_state damaged queued
redis hdel 'sbx:{q}:job:damaged' url >/dev/null
enqueue nobody fay
await "the other, too" is_in_state nobody queued
redis hset 'sbx:{q}:job:nobody' student $'\e' >/dev/null
admin resume >/dev/null
await "both end" is_in_state damaged done
await "both" is_in_state nobody done
equal "one with a row and an event" "1|eve|IE 1" "$(rows damaged) $(events damaged)"
letters=$(admin dead ls | tr -s ' ')
like "and a dead letter" 'damaged .*its record in Redis is damaged: url' "$letters"
like "that of nobody with a dead letter alone" 'nobody .*its record in Redis is damaged: student' \
	"$letters"

equal "nobody was told of a lease that was lost" 0 "$(logged 'lease was lost')"
worker_stop TERM
nothing_left "$before"
finish
