#!/bin/bash
# SPDX-License-Identifier: MIT
# The worker's supervisor and its processes on a host that is starved: one is forked and not yet
# executed, so it has all descriptors of the supervisor, while another ends and is started again.
. "$(dirname "$0")/worker.sh"
challenge_notes || exit 1
worker_config <<JSON
{
	"name": "w1", "slots": 1, "challenges": "challenges", "store": "$store",
	"redis": { "url": "$redis_url" },
	"ledger": { "url": "$postgres_url" },
	"fetch": { "file_root": "archives" },
	"log": { "level": "info", "format": "json" }
}
JSON
submit() { # ID
	"$runner" submit "$scratch/archives/good.zip" --id "$1" --student s --challenge notes \
		--no-follow --quiet --config "$config" >/dev/null
}
intake() { pgrep -P "$worker" -f '^sandbox-runner intake '; }
has_new_intake() { [ -n "$(intake)" ] && [ "$(intake)" != "$old" ]; }
is_forked() { pgrep -P "$worker" -f "^$runner run " >/dev/null; } # not what it will be, yet
read_again() { has_logged 'the configuration was read again' "$1"; }

touch "$scratch/go"
export LD_PRELOAD=$build/tests/runner/libslow-exec.so SLOW_EXEC=slot SLOW_EXEC_UNTIL=$scratch/go
worker_start
unset LD_PRELOAD SLOW_EXEC SLOW_EXEC_UNTIL
submit first
await "a worker judges" is_in_state first done

# All are to end and to be started anew: the slot first, which gets no further than its fork.
old=$(intake)
kill -STOP "$old"
rm "$scratch/go"
kill -HUP "$worker"
await "the next slot is forked" is_forked
kill -CONT "$old"
await "meanwhile the intake is another" has_new_intake
touch "$scratch/go"
submit second
await "and the slot goes on" is_in_state second done
kill -HUP "$worker"
if until_true 1200 read_again 2; then
	pass "its supervisor still hears"
	worker_stop TERM
	equal "and drains" 0 "$status"
else
	fail "its supervisor still hears" "$(tail -20 "$log")"
	kill -KILL "$worker"
	worker=
fi
finish
