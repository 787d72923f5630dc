# SPDX-License-Identifier: MIT
# What the pipeline tests share: a scratch folder, grading and reading the result.
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

build=${SANDBOX_BUILD:?is set by tests/run.sh}
source_dir=${SANDBOX_SOURCE:?is set by tests/run.sh}
store=${SANDBOX_STORE:-/var/lib/sandbox}
node=$store/runtime/node/bin/node
run=$build/runner/sandbox-run
cars=$source_dir/examples/car-rental
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check NAME COMMAND...: passes if the command succeeds.
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "failed: $*" "$out"
	fi
}

# equal NAME EXPECTED ACTUAL [DETAIL]
equal() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "expected: $2" "actual:   $3" "${4:-}"
	fi
}

# like NAME PATTERN TEXT: an extended regular expression.
like() {
	if [[ $3 =~ $2 ]]; then
		pass "$1"
	else
		fail "$1" "pattern: $2" "text:    $3"
	fi
}

zip_folder() { # FOLDER ZIP
	python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[2][:-4], "zip", sys.argv[1])' \
		"$1" "$2"
}

# Grades and leaves result.json, stderr and log in $scratch; sets `status`.
grade() { # SUBMISSION CHALLENGE [OPTION...]
	local submission=$1 challenge=$2
	shift 2
	rm -f "$scratch/result.json" "$scratch/log"
	"$run" grade "$submission" --challenge "$challenge" --store "$store" --color never \
		--json="$scratch/result.json" --keep-logs "$scratch/log" "$@" 2>"$scratch/stderr"
	status=$?
}

# A member of the result, as JavaScript sees it: member .verdict
member() {
	"$node" -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1]));
		const v = eval("r" + process.argv[2]);
		console.log(typeof v === "string" ? v : JSON.stringify(v));' \
		"$scratch/result.json" "$1" 2>&1
}

# Every trace that jails could leave: processes, control groups, mounts, leases, half-made entries.
traces() {
	pgrep -fc '^sandbox-(init|relay|holder)$'
	find /sys/fs/cgroup -path '*/sandbox/*' -type d 2>/dev/null | wc -l
	wc -l </proc/self/mountinfo
	find "$store/tmp" -mindepth 1 2>/dev/null | wc -l
}

# nothing_left BEFORE: no more traces than there were. Counts of the whole host: what somebody else,
# or the test before this one, ended meanwhile makes them smaller, and what is about to end is
# waited for.
nothing_left() {
	local now i
	for i in {1..200}; do
		now=$(traces)
		paste <(echo "$1") <(echo "$now") | awk '$2 > $1 { more = 1 } END { exit more }' &&
			break
		sleep 0.1
	done
	if [ "$i" -lt 200 ]; then
		pass "nothing is left behind"
	else
		fail "nothing is left behind" "before:" "$1" "after:" "$now"
	fi
}
