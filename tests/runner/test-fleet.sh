#!/bin/bash
# SPDX-License-Identifier: MIT
# A fleet of two runners on one machine judges 300 submissions of 60 students: good ones, failing
# ones, those that attack, archives that are none, servers that do not answer. One of the students
# comes first, with a flood. Afterwards each has exactly one result, the right one, and nothing is
# left.
#
# SANDBOX_FLEET_SUBMISSIONS and SANDBOX_FLEET_SEED change what is handed in.
# alone: what is left on the host is counted
set -u
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fleet.sh"
needs_root
submissions=${SANDBOX_FLEET_SUBMISSIONS:-300}
seed=${SANDBOX_FLEET_SEED:-1}
cap=2

fleet_servers || { fail "the servers start" && finish && exit; }
"$run" exec -- true # sweeps what dead owners left before
before=$(traces)
python3 "$here/fleet-plan.py" "$fleet" "$seed" "$submissions" "$zips_port" || exit 1
fleet_config "\"student_running\": $cap"
contests_from_plan

began=$SECONDS
worker_run 0
worker_run 1
hand_in
await_results "$submissions" || { finish && exit; }
echo "# $submissions submissions, seed $seed: $((SECONDS - began)) s; by w0 and w1: $(
	sql "SELECT count(*) FROM sandbox.result GROUP BY worker ORDER BY worker" | xargs)"
fleet_stop TERM
equal "the runners end well" 0 $status
fleet_checks "a fleet" "$cap"

# Once more what waits: the older one has no judge, and its row and event all the same.
"$runner" admin pause --config "$fleet/runner.json" >/dev/null
for i in {1..10}; do
	for id in older newer; do
		printf '{"id":"%s","student":"%s","challenge":"plain","url":"file:///gone"}\n' \
			"$id$i" "again$i"
	done
done | redis_push
worker_run 0
worker_run 1
superseded() { [ "$(events_count)" = $((submissions + 10)) ]; }
until_true 400 superseded
"$runner" admin resume --config "$fleet/runner.json" >/dev/null
await_results $((submissions + 20))
recorded() { [ "$(redis zcard 'sbx:{q}:ended')" = 0 ]; }
until_true 400 recorded
fleet_stop TERM
equal "who hands in again has one row and one event of each" "SUPERSEDED|10 10 10" "$(
	sql "SELECT verdict, count(*) FROM sandbox.result WHERE submission LIKE 'older%' GROUP BY 1"
) $(
		for id in older newer; do
			redis --raw xrange 'sbx:{q}:results' - + | grep -cE "^$id[0-9]+\$"
		done | xargs)"
queue_at_rest $cap
all_gone "$before"
finish
