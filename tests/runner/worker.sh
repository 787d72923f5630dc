# SPDX-License-Identifier: MIT
# What the tests of one worker share: its servers, started here; its configuration, start, end and
# log; its slots and their judges; submissions in the queue. Sourced first, instead of lib.sh, which
# it brings.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
unset "${!SANDBOX_RUNNER_@}"
runner=$build/runner/fleet/sandbox-runner
config=$scratch/runner.json
log=$scratch/worker.log
worker='' # pid of the supervisor; empty: it does not run
status=0
trap 'stop_all; servers_stop; rm -rf "$scratch"' EXIT

# worker_config: the configuration is on stdin; the ledger gets its tables.
worker_config() {
	cat >"$config"
	"$runner" admin migrate --config "$config" >/dev/null
}

worker_start() { # [OPTION...]
	"$runner" run --config "$config" "$@" >>"$log" 2>&1 </dev/null &
	worker=$!
}

worker_stop() { # SIGNAL: its exit code is in `status`
	kill -"$1" "$worker"
	wait "$worker" 2>/dev/null
	status=$?
	worker=
}

# Everything but the servers, at the test's end; whoever starts more has one of its own.
stop_all() {
	[ -z "$worker" ] || worker_stop QUIT
}

# The challenge `notes`, which init-challenge makes, and two archives for it: good.zip and
# wrong.zip.
challenge_notes() {
	mkdir -p "$scratch/archives" "$scratch/challenges"
	"$run" init-challenge "$scratch/made" >/dev/null 2>&1 || return 1
	cp -r "$scratch/made" "$scratch/challenges/notes"
	zip_folder "$scratch/made/solution" "$scratch/archives/good.zip"
	zip_folder "$scratch/made/wrong" "$scratch/archives/wrong.zip"
}

# slots of the worker, and the judge of the first one
slots() { pgrep -P "${worker:-0}" -f '^sandbox-runner slot '; }
judge() { slots | head -1 | xargs -r pgrep -P; }
has_judge() { [ -n "$(judge)" ]; }

field() { redis hget "sbx:{q}:job:$1" "$2"; }
state() { field "$1" state; }
is_in_state() { [ "$(state "$1")" = "$2" ]; }
logged() { grep -c "$1" "$log"; }
has_logged() { [ "$(logged "$1")" -ge "${2:-1}" ]; }

await() { # NAME CONDITION...: waits for what a test goes on from
	local name=$1
	shift
	until_true 1200 "$@" || fail "$name" "waited for: $*" "$(tail -20 "$log")"
}

redis_start && postgres_start || exit 1
before=$(traces)
