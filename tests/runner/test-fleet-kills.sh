#!/bin/bash
# SPDX-License-Identifier: MIT
# While a fleet judges, its supervisors, slots, intakes, judges, keepers and jails are killed at
# random moments, and Redis and both Postgres servers crash and come back. Each submission has one
# result all the same, the right one; what was lost runs again within a lease; nothing is left.
#
# SANDBOX_FLEET_SUBMISSIONS=300 SANDBOX_FLEET_KILLS=40 is the whole size (a minute or so on two
# cores); SANDBOX_FLEET_SEED changes what is handed in and who is killed when.
# alone: what is left on the host is counted
set -u
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fleet.sh"
needs_root
submissions=${SANDBOX_FLEET_SUBMISSIONS:-80}
kills=${SANDBOX_FLEET_KILLS:-12}
seed=${SANDBOX_FLEET_SEED:-1}
RANDOM=$seed
cap=2 lease=4000

fleet_servers || { fail "the servers start" && finish && exit; }
"$run" exec -- true # sweeps what dead owners left before
before=$(traces)
# What does not come is given up after so many attempts, which here are too many.
python3 "$here/fleet-plan.py" "$fleet" "$seed" "$submissions" "$zips_port" refused failing stalls ||
	exit 1
fleet_config "\"student_running\": $cap, \"lease\": \"${lease}ms\", \"max_attempts\": 1000"
contests_from_plan
told=$fleet/told
: >"$told"

redis_ms() { redis time | xargs | awk '{ printf "%.0f", $1 * 1000 + $2 / 1000 }'; }

# "MS ID...": the time, and what a worker has.
at_hand() { # I
	redis eval "local t = redis.call('TIME')
		local out = { string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)) }
		for _, id in ipairs(redis.call('ZRANGE', KEYS[1] .. 'leases', 0, -1)) do
			if redis.call('HGET', KEYS[1] .. 'job:' .. id, 'owner') == ARGV[1] then
				out[#out + 1] = id
			end
		end
		return table.concat(out, ' ')" 1 'sbx:{q}:' "w$1"
}

# pick WORD...: one of them is in `picked`. Not by $(), whose RANDOM is another.
pick() {
	picked=
	[ $# = 0 ] || picked=${*:$((RANDOM % $# + 1)):1}
}

children_of() { # PID...
	[ $# = 0 ] || pgrep -P "$(paste -sd, <(printf '%s\n' "$@"))"
}

# Processes 1 of the jails that a worker has.
jails_of() { # PID
	# shellcheck disable=SC2046
	ps -o pid=,args= -p "$(children_of $(children_of $(children_of "$1")) | paste -sd,)" \
		2>/dev/null |
		sed -n 's/ sandbox-init$//p'
}

kill_one() {
	local kind i ms ids
	pick supervisor child child judge judge jail
	kind=$picked
	pick 0 1
	i=$picked
	# shellcheck disable=SC2046
	case $kind in
	supervisor) pick "${workers[i]}" ;;
	child) pick $(children_of "${workers[i]}") ;; # a slot, or the intake
	judge) pick $(children_of $(children_of "${workers[i]}")) ;; # or a keeper of databases
	jail) pick $(jails_of "${workers[i]}") ;;
	esac
	[ -n "$picked" ] || return 1
	read -r ms ids <<<"$(at_hand "$i")"
	kill -KILL "$picked" 2>/dev/null || return 1
	# shellcheck disable=SC2086
	printf '{"what": "%s", "at": %s, "ids": [%s]}\n' "$kind" "$ms" \
		"$(printf '"%s", ' $ids | sed 's/, $//; s/""//')" >>"$told"
	if [ "$kind" = supervisor ]; then # as the service manager would
		wait "$picked" 2>/dev/null
		worker_run "$i"
	fi
}

outage() { # COMMAND...
	local from
	from=$(redis_ms)
	"$@"
	printf '{"what": "outage", "at": %s, "from": %s, "to": %s}\n' "$from" "$from" \
		"$(redis_ms)" >>"$told"
}

redis_crash() { redis_stop redis KILL && redis_start; }
ledger_crash() { postgres_stop postgres QUIT && postgres_start; }
students_crash() {
	local url=$postgres_url socket=$postgres_socket
	postgres_stop students QUIT && postgres_start students
	postgres_url=$url postgres_socket=$socket
}

began=$SECONDS
worker_run 0
worker_run 1
hand_in
for ((k = 1; k <= kills; k++)); do
	await_results $((submissions * k * 85 / kills / 100)) || { finish && exit; }
	sleep "0.$((RANDOM % 40 + 10))"
	until_true 100 kill_one
	[ $k != $((kills / 3)) ] || outage redis_crash
	[ $k != $((kills / 2)) ] || outage students_crash
	[ $k != $((kills * 2 / 3)) ] || outage ledger_crash
done
await_results "$submissions" || { finish && exit; }
echo "# $submissions submissions, seed $seed, $(grep -c '"ids"' \
		"$told") kills: $((SECONDS - began)) s;" \
	"$(grep -o '"what": "[a-z]*"' "$told" | cut -d'"' -f4 | sort | uniq -c | xargs)"
fleet_stop TERM
equal "the runners end well" 0 $status
fleet_checks "after kills" "$cap" "$lease" "$told"
queue_at_rest $cap
all_gone "$before"

# Slots whose supervisor is dead end by themselves, though nobody is there to take what they have.
worker_run 0
"$node" -e 'const { id, ...p } = JSON.parse(process.argv[1]); for (let i = 0; i < 30; i++)
	console.log(JSON.stringify({ ...p, id: "last-" + i, student: "last-" + i,
		contest: "" }));' "$(head -n 1 "$fleet/payloads")" | redis_push
# shellcheck disable=SC2046
judges() { children_of $(children_of "${workers[0]}"); }
both_stand_still() {
	# shellcheck disable=SC2046
	kill -STOP $(judges) && [ "$(judges | wc -l) $(redis zcard 'sbx:{q}:leases')" = "2 2" ] &&
		return
	# shellcheck disable=SC2046
	kill -CONT $(judges)
	return 1
}
check "both slots are in the middle of a submission" until_true 400 both_stand_still
redis_stop redis KILL
postgres_stop postgres KILL
# shellcheck disable=SC2046
kill -CONT $(judges)
fleet_stop KILL
until_true 1200 no_fleet_processes
equal "with Redis, the ledger and the supervisor gone, slots end as well" "" "$(fleet_processes)"
nothing_left "$before"
finish
