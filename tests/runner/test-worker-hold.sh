#!/bin/bash
# SPDX-License-Identifier: MIT
# alone: what is left on the host is counted
# sandbox-runner run while it may not claim: a disk that is short, a host under pressure, isolation
# that has become false. What runs is finished, the reason is seen everywhere, and it goes on by
# itself.
. "$(dirname "$0")/worker.sh"
challenge_notes || exit 1
policies=${SANDBOX_POLICY_DIR:-$build/policies}
cp -r "$policies" "$scratch/policies"
limits='"disk_free": "1M"'
write_config() {
	worker_config <<JSON
{
	"name": "w1", "slots": 1, "challenges": "challenges", "store": "$store", "policies": "policies",
	"self_test": "1s", $limits,
	"redis": { "url": "$redis_url", "timeout": "1s" },
	"ledger": { "url": "$postgres_url" },
	"queue": { "lease": "3s", "student_waiting": 100 },
	"fetch": { "file_root": "archives" },
	"listen": "unix:$scratch/ops.sock",
	"log": { "level": "info", "format": "json" }
}
JSON
}
submit() { # ID
	"$runner" submit "$scratch/archives/good.zip" --id "$1" --student "s-$1" --challenge notes \
		--no-follow --quiet --config "$config" >/dev/null
}
ops() { curl -s --unix-socket "$scratch/ops.sock" "http://x/$1"; }
check_is() { ops metrics | grep -q "^sandbox_runner_ready{check=\"$1\"} $2$"; }
held() { redis hget 'sbx:{q}:worker:w1' held; }
slots_told() { redis hget 'sbx:{q}:worker:w1' slots; }
is_held() { [ -n "$(held)" ]; }
is_free() { [ -z "$(held)" ]; }
reload() { # the limits
	limits=$1
	write_config
	kill -HUP "$worker"
}
# When a line of the log was written, ms since 1970.
logged_at() { date -d "$(grep -m1 "$1" "$log" | sed -E 's/.*"ts":"([^"]*)".*/\1/')" +%s%3N; }

write_config
# a database of somebody else's submission, who lives: he holds the lock of its owner
sql 'CREATE ROLE sbx_00000000000000bb_0123456789abcdef'
mkfifo "$scratch/hold"
psql -X -q "$postgres_url" <"$scratch/hold" >/dev/null 2>&1 &
exec 9>"$scratch/hold"
echo 'SELECT pg_advisory_lock(187);' >&9
locked() { [ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" = 1 ]; }
await "which is held" locked
worker_start --database-provider server --database-url "$postgres_url" --database-ahead 0
submit first
await "a worker judges" is_in_state first done
await "databases of the fleet are counted" eval \
	'ops metrics | grep -qx "sandbox_runner_schemas_open 1"'
await "it has tested itself since, and is ready" check_is self_test 1

# ---------------------------------------------------------------------- disk
reload '"disk_free": "1000000G"'
await "a disk that is short holds" is_held
submit waits
like "why is in the list of workers" 'claims nothing: .* has [0-9]+ MiB left, [0-9]+ are needed' \
	"$("$runner" admin workers --config "$config")"
like "and in the log" 'nothing is claimed: .* MiB left' "$(cat "$log")"
like "and in /readyz" '\[-\] disk: .* MiB left' "$(ops readyz)"
await "and in /statusz" eval 'ops statusz | grep -q "\"held\":\".* MiB left"'
check "and in the metrics" check_is disk 0
equal "its slots do not count for who waits" 0 "$(slots_told)"
reload '"disk_free": "1M", "inodes_free": 1'
await "there is room again, and it goes on" is_in_state waits done
await "which the fleet is told" is_free
like "and the log" 'submissions are claimed again' "$(cat "$log")"
check "and the metrics" check_is disk 1
check "what came meanwhile was claimed only then" \
	test "$(field waits claimed)" -ge "$(logged_at 'claimed again')"
equal "as a first attempt" 1 "$(field waits att)"

# ----------------------------------------------------------------- isolation
cp "$scratch/policies/node-server.json" "$scratch/node-server.json"
await "the slot's judge has what it needs" has_judge
kill -STOP "$(judge)"
submit running
await "a submission runs" is_in_state running running
echo '{ "name": 1 }' >"$scratch/policies/node-server.json"
await "isolation that cannot be had holds" is_held
like "and says what is wrong" 'the self-test fails: .*node-server.json' "$(held)"
check "in the metrics" check_is self_test 0
like "and in /readyz" '\[-\] self_test: the self-test fails' "$(ops readyz)"
cp "$scratch/node-server.json" "$scratch/policies/node-server.json"
await "and when it holds again" check_is self_test 1
kill -CONT "$(judge)"
await "what ran was left alone" is_in_state running done
equal "as its first attempt" "AC 1" "$(field running verdict) $(field running att)"
submit after
await "and it goes on" is_in_state after done

# a self-test that dies was not passed
testers() { pgrep -P "$worker" -f 'sandbox-runner self-test'; }
kill_one() { kill -KILL $(testers) 2>/dev/null && sleep 0.05 && is_held; }
await "a self-test that is killed holds" kill_one
like "and is told as what it was" 'the self-test fails: signal 9' "$(held)"
await "the next one passes" is_free
# ------------------------------------------------------------------ pressure
if [ -r /proc/pressure/cpu ]; then
	reload '"cpu_pressure": 1'
	for _ in 1 2 3 4 5 6; do
		(while :; do :; done) &
		burners+=($!)
	done
	await "processors that are waited for hold" is_held
	like "and say so" 'programs wait for a processor for [0-9]+ % .*cpu_pressure is 1' "$(held)"
	kill "${burners[@]}"
	wait "${burners[@]}" 2>/dev/null
	like "in /readyz" '\[-\] pressure: programs wait' "$(ops readyz)"
	reload '"cpu_pressure": 100'
	await "until they are not" is_free
fi
worker_stop TERM
exec 9>&-
equal "it drains" 0 "$status"
nothing_left "$before"
finish
