#!/bin/bash
# SPDX-License-Identifier: MIT
# How many submissions a worker judges in a minute, and whose the processor time is, beside what the
# submission alone takes. Usage: fleet.sh BUILD [SUBMISSIONS [instance|server [SLOTS [EXAMPLE]]]];
# README.md says what is measured. Needs root.
set -uo pipefail

build=$(realpath "${1:?usage: fleet.sh BUILD [SUBMISSIONS [instance|server [SLOTS [EXAMPLE]]]]}")
submissions=${2:-200} provider=${3:-instance} slots=${4:-2} example=${5:-car-rental}
here=$(dirname "$(realpath "$0")")
export SANDBOX_BUILD=$build SANDBOX_SOURCE=${here%/tests/bench}
. "$here/../runner/lib.sh"
unset "${!SANDBOX_RUNNER_@}"
runner=$build/runner/fleet/sandbox-runner
worker='' group=

stop_all() {
	[ -z "$worker" ] || { kill -TERM "$worker" && wait "$worker"; } 2>/dev/null
	servers_stop
	for _ in {1..50}; do
		[ -n "$group" ] && [ -n "$(find "$group" -depth -type d -exec rmdir {} \; 2>&1)" ] \
			|| break
		sleep 0.05
	done
	rm -rf "$scratch"
}
trap stop_all EXIT

# ------------------------------------------------------------- groups that count processor time

if [ -d /sys/fs/cgroup/cpuacct ]; then
	group=/sys/fs/cgroup/cpuacct/bench-$$
else
	group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/bench-$$
fi
mkdir "$group"

descendants() { # PID: it, and all below it
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do descendants "$child"; done
}

count_in() { # NAME PID
	local pid
	mkdir -p "$group/$1"
	for pid in $(descendants "$2"); do echo "$pid" >"$group/$1/cgroup.procs"; done
}

used_us() { # NAME: microseconds, of what ended in there, too
	if [ -f "$group/$1/cpuacct.usage" ]; then
		echo $(($(cat "$group/$1/cpuacct.usage") / 1000))
	else
		awk '$1 == "usage_usec" { print $2 }' "$group/$1/cpu.stat"
	fi
}

# All processors, and the kernel's own threads: USED THREADS in ms.
machine_ms() {
	awk -v tick="$(getconf CLK_TCK)" \
		'$1 == "cpu" { print ($2 + $3 + $4 + $7 + $8) * 1000 / tick }' /proc/stat
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v tick="$(getconf CLK_TCK)" '
		{ sub(/.*\) /, "") } int($7 / 2097152) % 2 { t += $12 + $13 }
		END { print t * 1000 / tick }'
}

# --------------------------------------------------------------------------------------- servers

redis_start && postgres_start ledger || exit 1
ledger_url=$postgres_url
if [ "$provider" = server ]; then
	postgres_start students || exit 1
	server_url=$postgres_url
	printf 'local all postgres trust\nlocal sameuser all scram-sha-256\n' \
		>"$scratch/students/data/pg_hba.conf"
	sql 'SELECT pg_reload_conf()' >/dev/null
	postgres_url=$ledger_url
fi
mkdir -p "$scratch/archives" "$scratch/challenges"
folder=$source_dir/examples/$example
ln -s "$folder/challenge" "$scratch/challenges/it"
zip_folder "$folder/submissions/correct" "$scratch/archives/correct.zip"
cat >"$scratch/runner.json" <<JSON
{
	"slots": $slots, "challenges": "challenges", "store": "$store", "name": "bench",
	"redis": { "url": "$redis_url" }, "ledger": { "url": "$ledger_url" },
	"queue": { "student_waiting": 100000, "student_running": 100 },
	"fetch": { "file_root": "archives" }, "judge": { "jobs": 100000 },
	"database": { "provider": "$provider"${server_url:+, \"url\": \"$server_url\"} },
	"log": { "level": "warning", "format": "text" }
}
JSON
admin() { "$runner" admin "$@" --config "$scratch/runner.json"; }
judged() { redis xlen 'sbx:{q}:results'; }
load() { # N [PAUSE]: and waits until they are judged
	local before
	before=$(judged)
	admin loadgen "$1" --url file:///correct.zip --challenge it >/dev/null || exit 1
	until [ "$(judged)" -ge $((before + $1)) ]; do
		kill -0 "$worker" || { tail -5 "$scratch/worker.log" && exit 1; }
		sleep "${2:-0.05}"
	done
}

admin migrate >/dev/null || exit 1
count_in ledger "$(server_pid ledger)"
count_in redis "$(server_pid redis)"
[ "$provider" = instance ] || count_in students "$(server_pid students)"
"$runner" run --config "$scratch/runner.json" >"$scratch/worker.log" 2>&1 </dev/null &
worker=$!
count_in worker $worker
load $((slots * 5))

# --------------------------------------------------------------------------------------- measure

groups=(worker ledger redis)
[ "$provider" = instance ] || groups+=(students)
measured=("worker=$worker" "ledger=$(server_pid ledger)" "redis=$(server_pid redis)")
[ "$provider" = instance ] || measured+=("students=$(server_pid students)")
mkfifo "$scratch/end"
"$build/tests/bench/cputime" --programs "$build/runner/inside" "${measured[@]}" \
	<"$scratch/end" >"$scratch/split" 2>"$scratch/split.log" &
counter=$!
exec 9>"$scratch/end"
until_true 200 grep -q ready "$scratch/split" || { cat "$scratch/split.log" && exit 1; }
declare -A before
for name in "${groups[@]}"; do before[$name]=$(used_us "$name"); done
machine=$(machine_ms) first=$(sql 'SELECT now()')
began=$EPOCHREALTIME
load "$submissions" 0.2
ended=$EPOCHREALTIME
for name in "${groups[@]}"; do echo "group $name $(($(used_us "$name") - before[$name]))"; done \
	>"$scratch/groups"
machine_ms | paste -d' ' - <(echo "$machine") >"$scratch/machine"
exec 9>&-
wait $counter || cat "$scratch/split.log" >&2

sql "SELECT count(*), count(*) FILTER (WHERE verdict <> 'AC' OR passed <> total)
	FROM sandbox.result WHERE judged_at >= '$first'" | {
	IFS='|' read -r n wrong && [ "$wrong" = 0 ] ||
		echo "$wrong of $n have not the right verdict"
}
sql "SELECT format('latency %s %s', percentile_disc(0.5) WITHIN GROUP (ORDER BY ms),
		percentile_disc(0.95) WITHIN GROUP (ORDER BY ms))
	FROM (SELECT round((result::jsonb ->> 'wall_ms')::numeric) AS ms
		FROM sandbox.result WHERE judged_at >= '$first') AS x" >"$scratch/latency"
sql "SELECT format('stage %s %s', name,
		round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1))
	FROM (SELECT s ->> 'name' AS name, (s ->> 'wall_ms')::float AS ms,
			(s ->> 'start_ms')::float AS at
		FROM sandbox.result, jsonb_array_elements(result::jsonb -> 'stages') AS s
		WHERE judged_at >= '$first') AS x
	GROUP BY name ORDER BY min(at)" >"$scratch/stages"

# One after the other: what a student waits for when nobody else does.
for _ in 1 2 3 4 5 6 7 8 9 10; do load 1; done
sql "SELECT format('alone %s', round(1000 * percentile_cont(0.5)
		WITHIN GROUP (ORDER BY extract(epoch FROM judged_at - submitted_at))::numeric))
	FROM (SELECT * FROM sandbox.result ORDER BY judged_at DESC LIMIT 10) AS x" >"$scratch/alone"

# ----------------------------------------------------------------------------------------- floor

if [ "$example" = car-rental ]; then
	"$here/fleet-floor.sh" "$build" "$store" "$scratch/floor" || exit 1
fi >"$scratch/floor.out"

cat "$scratch/latency" "$scratch/alone" "$scratch/stages" "$scratch/groups" "$scratch/floor.out" \
	<(sed 's/^/machine /' "$scratch/machine") \
	<(grep -v ready "$scratch/split" | sed 's/^/part /') |
	awk -v n="$submissions" -v s="$(echo "$ended - $began" | bc)" -v slots="$slots" \
	-v provider="$provider" -v example="$example" \
		-f "$here/fleet.awk"
