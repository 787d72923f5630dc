#!/bin/bash
# SPDX-License-Identifier: MIT
# What a worker must survive without an end: submissions that kill whoever judges them, each time,
# and payloads that make no sense. The first end as dead letters and a visible IE, the second as
# dead letters with a reason; others are judged meanwhile, and nothing turns in circles.
# alone: what is left on the host is counted
set -u
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fleet.sh"
needs_root
fleet_servers || { fail "the servers start" && finish && exit; }
"$run" exec -- true # sweeps what dead owners left before
before=$(traces)
python3 "$here/fleet-plan.py" "$fleet" 1 1 "$zips_port" || exit 1
# Never ready, for as long as the test needs it.
"$node" -e 'const fs = require("fs"), f = process.argv[1], c = JSON.parse(fs.readFileSync(f));
	c.limits.boot = "600s";
	fs.writeFileSync(f, JSON.stringify(c));' "$fleet/challenges/short/challenge.json"
fleet_config '"lease": "2s", "max_attempts": 3'
sed -i 's/"level": "info", "format": "text"/"level": "debug", "format": "json"/' \
	"$fleet/runner.json"

payload() { # ID KIND CHALLENGE
	printf '{"id": "%s", "student": "of-%s", "challenge": "%s", "url": "file:///%s.zip"}\n' \
		"$1" "$1" "$3" "$2"
}

state() { redis hget "sbx:{q}:job:$1" state; }
is_in_state() { [ "$(state "$1")" = "$2" ]; }
is_running() {
	[ "$(redis xrange "sbx:{q}:log:$1" - + | grep -c '"stage":"ready","done":false')" -ge "$2" ]
}
await() {
	until_true 1200 "$@" && return
	fail "waited for: $*" "$(tail -n 20 "$fleet/w0.log")"
	finish
	exit
}
dead_reason() { redis --raw xrange 'sbx:{q}:dead' - + | grep -A2 -x "$1" | tail -n 1; }

# The slot that has it, and its judge.
slot_of() {
	local number
	number=$(grep -F "\"job\":\"$1\"" "$fleet/w0.log" |
			sed -nE 's/.*"claimed, .*"slot":"([0-9]+)".*/\1/p' |
		tail -n 1)
	pgrep -P "${workers[0]}" -f "^sandbox-runner slot $number\$"
}
judge_of() { pgrep -P "$(slot_of "$1")"; }

# ------------------------------------------------------------------- poison
worker_run 0

# poisoned ID KILL...: at each attempt, KILL is a command whose output is a list of pids.
poisoned() {
	local id=$1 attempt=0 kill
	shift
	payload "$id" silent short | redis_push
	for kill; do
		attempt=$((attempt + 1))
		await is_running "$id" $attempt
		payload "$id-$attempt" good plain | redis_push
		# shellcheck disable=SC2046
		kill -KILL $($kill "$id")
	done
	await is_in_state "$id" done
	equal "$id: has one result, IE" "IE 1" \
		"$(sql "SELECT min(verdict), count(*) FROM sandbox.result
			WHERE submission = '$id'" | tr '|' ' ')"
	equal "$id: and one event" 1 "$(redis --raw xrange 'sbx:{q}:results' - + | grep -cx "$id")"
	like "$id: is a dead letter with its reason" "$died" "$(dead_reason "$id")"
	like "$id: the student sees that it was the platform" \
		'failure of the platform, not of the submission' \
		"$(sql "SELECT result::jsonb->>'reason' FROM sandbox.result
			WHERE submission = '$id'")"
	equal "$id: was tried three times" 3 "$(redis hget "sbx:{q}:job:$id" att)"
	for attempt in 1 2 3; do
		await is_in_state "$id-$attempt" done
	done
	equal "$id: others were judged meanwhile" "AC AC AC" \
		"$(sql "SELECT verdict FROM sandbox.result WHERE submission LIKE '$id-_'" | xargs)"
	equal "$id: before it was given up" t \
		"$(sql "SELECT count(*) > 1 FROM sandbox.result
			WHERE submission LIKE '$id-_' AND judged_at < (
			SELECT judged_at FROM sandbox.result WHERE submission = '$id')")"
}

died='the judging process ended'
poisoned kills-its-judge judge_of judge_of judge_of
# The slot first: it would tell of its judge's end.
everybody_of() { slot_of "$1" && judge_of "$1"; }
died='slot [01] died: signal 9'
poisoned kills-its-slot slot_of judge_of everybody_of

# ----------------------------------------------------------------- payloads
rests() {
	[ "$(redis llen submissions) $(redis llen 'sbx:{q}:intake')" = "0 0" ] &&
		[ "$(redis zcard 'sbx:{q}:leases')" = 0 ]
}
family() { echo "${workers[0]} $(pgrep -P "${workers[0]}" | sort -n | xargs)"; }

# "TICKS COMMANDS" of a while in which nothing is to be done: CPU of our processes, and what they
# ask Redis. How long it is does not matter: it is compared with one of the same length.
cost_of_rest() {
	local ticks commands
	ticks=$(ticks_now)
	commands=$(commands_now)
	sleep 1.5
	echo $(($(ticks_now) - ticks)) $(($(commands_now) - commands))
}
ticks_now() {
	local pid total=0 line
	for pid in $(family); do
		line=$(sed 's/.*) //' "/proc/$pid/stat")
		# shellcheck disable=SC2086
		set -- $line
		total=$((total + ${12} + ${13}))
	done
	echo $total
}
commands_now() { redis info stats | sed -nE 's/total_commands_processed:([0-9]+).*/\1/p'; }

not_more() { # NAME CONTROL COST
	local idle_ticks idle_commands ticks commands
	read -r idle_ticks idle_commands <<<"$2"
	read -r ticks commands <<<"$3"
	if [ "$ticks" -le $((2 * idle_ticks + 15)) ] &&
		[ "$commands" -le $((2 * idle_commands + 30)) ]; then
		pass "$1 ($ticks ticks, $commands commands; $idle_ticks and $idle_commands before)"
	else
		fail "$1" "ticks and commands: $3, before: $2"
	fi
}

await rests
dead_before=$(redis xlen 'sbx:{q}:dead')
family_before=$(family)
idle=$(cost_of_rest)
payload before good plain | redis_push
python3 "$here/fleet-payloads.py" 1 2>"$fleet/pushed" | redis --pipe >/dev/null
payload behind good plain | redis_push
await is_in_state behind done
await rests
pushed=$(cat "$fleet/pushed")
equal "each of $pushed payloads that make no sense is a dead letter" "$pushed" \
	"$(($(redis xlen 'sbx:{q}:dead') - dead_before))"
redis --raw xrevrange 'sbx:{q}:dead' + - COUNT "$pushed" |
	grep -a -A1 -x reason | grep -av -e '^--$' -e '^reason$' >"$fleet/reasons"
equal "with a reason, one line without anything that a terminal obeys" "$pushed 0 0" \
	"$(wc -l <"$fleet/reasons") $(grep -c '^$' "$fleet/reasons") $(
		LC_ALL=C grep -c '[^ -~]' "$fleet/reasons")"
for reason in 'is no JSON' 'is no JSON object' 'is missing' 'malformed' 'nested deeper than 8' \
	'more than 16384' \
	'duplicate' 'unable to decode byte 0xff' 'not a string' 'priority' 'submitted_at' 'sha256' \
	'character that no URL has'; do
	check "one says: $reason" grep -qE "$reason" "$fleet/reasons"
done
equal "what made sense among them is judged, and nothing else" "AC AC 0" \
	"$(sql "SELECT verdict FROM sandbox.result
		WHERE submission IN ('before', 'behind')" | xargs) $(
		sql "SELECT count(*) FROM sandbox.result WHERE submission LIKE 'never%'")"
equal "no process died" "$family_before" "$(family)"
not_more "while only dead letters are there, nobody works" "$idle" "$(cost_of_rest)"
"$runner" admin dead ls --config "$fleet/runner.json" >"$fleet/dead" 2>&1
equal "an administrator can list them, and nothing in them reaches the terminal" "0 0" \
	"$? $(LC_ALL=C grep -c '[^ -~	]' "$fleet/dead")"

# The list is no list: told, and asked again in peace.
redis set submissions x >/dev/null
await grep -q WRONGTYPE "$fleet/w0.log"
not_more "nor while the producers' list is something else" "$idle" "$(cost_of_rest)"
redis del submissions >/dev/null
payload healed good plain | redis_push
await is_in_state healed done
equal "afterwards it goes on" "$family_before" "$(family)"

fleet_stop TERM
equal "the runner ends well" 0 $status
queue_at_rest 1
all_gone "$before"
finish
