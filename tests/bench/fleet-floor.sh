#!/bin/bash
# SPDX-License-Identifier: MIT
# What a submission takes by itself, without jails, queue or judge: a Postgres that was made before
# is started, migrated by our tool, the server is started and asked all tests by the native tester,
# everything is killed. For fleet.sh. Usage: fleet-floor.sh BUILD STORE FOLDER [ROUNDS]. Prints
# `floor PART MILLISECONDS` of processor time, means of the rounds, and the wall time.
set -euo pipefail

build=$1 store=$2 scratch=$3 rounds=${4:-10}
cars=$(realpath "$(dirname "$0")/../../examples/car-rental")
port=$((30000 + $$ % 10000)) database=$((20000 + $$ % 10000))
pids=()
if [ -d /sys/fs/cgroup/cpuacct ]; then
	group=/sys/fs/cgroup/cpuacct/floor-$$
else
	group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/floor-$$
fi
finish() {
	kill -KILL "${pids[@]}" 2>/dev/null || true
	wait || true
	for _ in {1..50}; do
		[ -n "$(find "$group" -depth -type d -exec rmdir {} \; 2>&1)" ] || break
		sleep 0.05
	done
	rm -rf "$scratch"
}
trap finish EXIT
mkdir -p "$group"/{database,migration,server,tester} "$scratch/app"
chmod 711 "$scratch"

in_group() { # NAME COMMAND...
	echo $BASHPID >"$group/$1/cgroup.procs"
	shift
	exec "$@"
}

used_us() {
	if [ -f "$group/$1/cpuacct.usage" ]; then
		echo $(($(cat "$group/$1/cpuacct.usage") / 1000))
	else
		awk '$1 == "usage_usec" { print $2 }' "$group/$1/cpu.stat"
	fi
}

# The packages, as the judge has installed them, and its template of a database.
modules=$(grep -l '"version": "8.23.1"' "$store"/deps/*/node_modules/pg/package.json | head -1)
cp -r "$cars/submissions/correct/." "$scratch/app"
ln -s "${modules%/pg/package.json}" "$scratch/app/node_modules"
template=$(ls -td "$store"/postgres/*/data | head -1)
bin=$(find /usr/lib/postgresql -maxdepth 3 -name postgres -path '*/bin/*' | sort -V | tail -1)
node=$store/runtime/node/bin/node
(cd "$cars/challenge/tests" && ls *.hurl) >"$scratch/tests"

answers() { (exec 8<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
wait_port() {
	for _ in {1..1000}; do
		answers "$1" && return
		sleep 0.005
	done
	echo "nothing listens on port $1" >&2
	return 1
}

one() {
	rm -rf "$scratch/data"
	cp -r "$template" "$scratch/data"
	chown -R 65534:65534 "$scratch/data"
	began=$EPOCHREALTIME
	(cd / && in_group database setpriv --reuid=65534 --regid=65534 --clear-groups "$bin" \
			-D "$scratch/data" \
		-c port=$database -c unix_socket_directories=) >>"$scratch/log" 2>&1 &
	pids=($!)
	until grep -qs '^ready' "$scratch/data/postmaster.pid"; do sleep 0.01; done
	export DATABASE_URL=postgresql://postgres@127.0.0.1:$database/app
	# shellcheck disable=SC2046
	(cd "$scratch/app" && in_group migration "$build/runner/inside/sandbox-inside-migrate" \
			--timeout 60s \
		$(ls migrations/*.sql)) 3>"$scratch/records" >>"$scratch/log" 2>&1
	(cd "$scratch/app" && PORT=$port NODE_ENV=production in_group server \
			"$node" src/server.js) >>"$scratch/log" 2>&1 &
	pids+=($!)
	wait_port $port
	# shellcheck disable=SC2046
	(cd "$cars/challenge/tests" && in_group tester "$build/runner/inside/sandbox-inside-test" \
		--base "http://localhost:$port" --report-fd 3 $(cat "$scratch/tests")) \
		3>"$scratch/report"
	kill -KILL "${pids[1]}"
	kill -QUIT "${pids[0]}"
	wait "${pids[@]}" 2>/dev/null || true
	pids=()
	echo "$EPOCHREALTIME - $began" | bc
}

one >/dev/null || { tail -5 "$scratch/log" "$scratch/report" >&2 && exit 1; }
for part in database migration server tester; do eval "before_$part=$(used_us $part)"; done
for ((i = 0; i < rounds; i++)); do one; done | sort -n >"$scratch/walls"
for part in database migration server tester; do
	eval "used=\$((\$(used_us $part) - before_$part))"
	echo "floor $part $(echo "scale=3; $used / 1000 / $rounds" | bc)"
done
echo "floor-wall $(sed -n "$(((rounds + 1) / 2))p" "$scratch/walls")"
