# SPDX-License-Identifier: MIT
# What the tests of a fleet share: two runners of one machine, a server for archives, a plan of what
# is handed in. Sourced after lib.sh.
unset "${!SANDBOX_RUNNER_@}"
here=$source_dir/tests/runner
runner=$build/runner/fleet/sandbox-runner
fleet=$scratch/fleet
workers=() # pids of supervisors; 0: it does not run

trap 'fleet_stop KILL; servers_stop; rm -rf "$scratch"' EXIT

# Redis, a Postgres for the databases of submissions, another one for the ledger, and archives.
fleet_servers() {
	redis_start && postgres_start students && students_url=$postgres_url && postgres_start &&
		zips_start
}

# Roles and databases of submissions.
students_databases() {
	psql -XqAt "$students_url" -c "SELECT datname FROM pg_database WHERE datname LIKE 'sbx%'
		UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 'sbx%'"
}
no_students_databases() { [ -z "$(students_databases)" ]; }

zips_start() {
	mkdir -p "$fleet"
	python3 "$here/fleet-zips.py" "$fleet" &
	servers+=("zips:$!")
	until_true 200 test -s "$fleet/port" && zips_port=$(cat "$fleet/port")
}

# fleet_config MEMBERS: what differs between tests, as members of queue.
fleet_config() {
	cat >"$fleet/runner.json" <<JSON
{
	"slots": 2, "challenges": "challenges", "store": "$store", "drain_timeout": "30s",
	"redis": { "url": "$redis_url", "timeout": "1s" },
	"ledger": { "url": "$postgres_url" },
	"queue": { "intake": ["submissions"], "student_waiting": 100, $1 },
	"fetch": {
		"file_root": "archives", "hosts": ["127.0.0.1:$zips_port", "127.0.0.1:1"],
		"networks": ["127.0.0.0/8"], "max_size": "1M", "timeout": "1s", "connect_timeout": "1s"
	},
	"log": { "level": "info", "format": "text" }
}
JSON
	"$runner" admin migrate --config "$fleet/runner.json" >/dev/null
}

contests_from_plan() {
	sql "$(python3 - "$fleet/plan.json" <<'PY'
import json, sys
for c in json.load(open(sys.argv[1]))['contests']:
    print(f"""INSERT INTO sandbox.contest (id, rules, starts_at, ends_at, penalty_s) VALUES ('{c['id']}', '{c['rules']}',
        to_timestamp({c['starts']} / 1000.0), to_timestamp({c['ends']} / 1000.0), {c['penalty']});""")
PY
	)"
}

# worker_run I: starts it, once more after it was killed. The second one has the databases of
# submissions on a server, the first one makes them itself.
worker_run() {
	local options=()
	[ "$1" = 0 ] || options=(--database-provider server --database-url "$students_url")
	LC_SANDBOX_FLEET=$scratch \
		"$runner" run --config "$fleet/runner.json" --name "w$1" "${options[@]}" \
		>>"$fleet/w$1.log" 2>&1 </dev/null &
	workers[$1]=$!
}

# fleet_stop SIGNAL: how the last of them ended is in `status`.
fleet_stop() {
	local i
	status=0
	for i in "${!workers[@]}"; do
		[ "${workers[i]}" = 0 ] || kill -"$1" "${workers[i]}" 2>/dev/null
	done
	for i in "${!workers[@]}"; do
		[ "${workers[i]}" = 0 ] || wait "${workers[i]}" 2>/dev/null || status=$?
		workers[i]=0
	done
}

# All processes that ever came from our runners, and are there.
fleet_processes() {
	grep -slzxF "LC_SANDBOX_FLEET=$scratch" /proc/[0-9]*/environ | cut -d/ -f3 |
		xargs -r ps -o pid,args --no-headers -p
}

# Lines of standard input into the list `submissions`, all at once.
redis_push() {
	python3 -c '
import sys
for line in sys.stdin.buffer:
    line = line.rstrip(b"\n")
    sys.stdout.buffer.write(b"*3\r\n$5\r\nLPUSH\r\n$11\r\nsubmissions\r\n")
    sys.stdout.buffer.write(b"$%d\r\n%s\r\n" % (len(line), line))' |
		redis --pipe >/dev/null
}

# way<TAB>payload of each submission of the plan, in its order.
payloads() {
	"$node" -e 'const plan = JSON.parse(require("fs").readFileSync(process.argv[1]));
		for (const s of plan.submissions)
			console.log(s.way + "\t" + JSON.stringify(s.payload));' "$fleet/plan.json"
}

# Into the list, some of them twice; practice by the command.
hand_in() {
	local id student challenge url
	payloads | sed -n 's/^list\t//p' >"$fleet/payloads"
	sed '7~11p' "$fleet/payloads" | redis_push
	payloads | sed -n 's/^submit\t//p' | "$node" -e '
		const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
		for (const { id, student, challenge, url } of lines.map((l) => JSON.parse(l)))
			console.log(id, student, challenge, url);' >"$fleet/practice"
	while read -r id student challenge url; do
		"$runner" submit "$url" --id "$id" --student "$student" --challenge "$challenge" \
			--no-follow --config "$fleet/runner.json" </dev/null >/dev/null 2>&1 ||
			echo "# $id was not taken"
	done <"$fleet/practice"
}

events_count() { redis xlen 'sbx:{q}:results'; }
all_done() { [ "$(events_count)" -ge "$1" ]; }

# await_results N: until there are so many, as long as there are more and more.
await_results() {
	local seen=-1 now
	until now=$(events_count) && [ "$now" -ge "$1" ]; do
		[ "$now" != "$seen" ] || {
			fail "the fleet goes on" "$now of $1 results" "$(tail -n 3 "$fleet"/w*.log)"
			return 1
		}
		seen=$now
		until_true 800 all_done $((seen + 1))
	done
}

# Nothing of the queue is left but what is kept: jobs that are done, logs, results.
queue_at_rest() {
	equal "the queue is at rest: leases, waiting, running, rejudged, put off, lists" \
		"0 0 0 0 0 0 0 0" \
		"$(for key in leases queued queued:rejudge delayed rejudging running waits count; do
			case $key in
			running | waits | count) redis hlen "sbx:{q}:$key" ;;
			rejudging) redis scard "sbx:{q}:$key" ;;
			*) redis zcard "sbx:{q}:$key" ;;
			esac
		done | xargs)"
	equal "nothing is left in the lists of producers" "0 0" \
		"$(redis llen submissions) $(redis llen 'sbx:{q}:intake')"
	equal "the keys of the queue agree with each other" "" \
		"$(redis eval "$(cat "$here/queue-invariants.lua")" 1 'sbx:{q}:' "$1")"
}

# all_gone BEFORE: what jails, runners and keepers could leave.
all_gone() {
	nothing_left "$1"
	until_true 200 no_fleet_processes
	equal "nor a process of the fleet" "" "$(fleet_processes)"
	until_true 200 no_students_databases
	equal "nor a database or a role" "" "$(students_databases)"
}
no_fleet_processes() { [ -z "$(fleet_processes)" ]; }

# fleet_checks NAME ARGUMENT...: what fleet-check.py finds, counted with our tests.
fleet_checks() {
	local name=$1 line last='' details=()
	shift
	python3 "$here/fleet-check.py" "$fleet" "$redis_socket" "$postgres_url" "$@" \
		>"$fleet/checked" 2>&1
	while IFS= read -r line; do
		if [[ $line =~ ^(not )?ok\ [0-9]+\ -\ (.*) || $line = 1..* ]]; then
			[ -z "$last" ] || fail "$last" "${details[@]}"
			[[ $line = ok* ]] && pass "$name: ${BASH_REMATCH[2]}"
			last=
			[[ $line = not* ]] && last="$name: ${BASH_REMATCH[2]}" && details=()
		elif [ -n "$last" ]; then
			details+=("${line#\# }")
		else
			echo "$line"
		fi
	done <"$fleet/checked"
	grep -q '^1\.\.' "$fleet/checked" || fail "$name: all of it was checked" \
		"$(tail -n 5 "$fleet/checked")"
}
