#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-run trace: what it says of a command whose calls are known, and that its advice works.
. "$(dirname "$0")/lib.sh"

probe=${SANDBOX_PROBE:?is set by tests/run.sh}

# trace OPTIONS...: leaves stdout, the report and JSON in $scratch; sets `status` and `report`.
trace() {
	rm -f "$scratch"/report "$scratch"/json
	"$run" trace -o "$scratch/report" --json="$scratch/json" "$@" \
		>"$scratch/stdout" 2>"$scratch/stderr" </dev/null
	status=$?
	report=$(cat "$scratch/report" 2>/dev/null)
}

# json EXPRESSION: of the result `r`, as Python sees it; strings as they are.
json() {
	python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
calls = {c["name"]: c for c in r["calls"]}
v = eval(sys.argv[2])
print(v if isinstance(v, str) else json.dumps(v))' "$scratch/json" "$1" 2>&1 | tail -1
}

trace --ro "$probe:/probe" -- /probe calls
equal "the exit code is the command's" 42 $status "$(cat "$scratch/stderr")"
equal "calls are counted" 1 "$(json 'calls["getppid"]["count"]')"
equal "the execve of the command itself is one" 1 "$(json 'calls["execve"]["count"]')"
equal "an allowed call needs nothing" nothing "$(json 'calls["lseek"]["needs"]')"
equal "a call that no policy allows" never "$(json 'calls["mount"]["needs"]')"
like "it is said why" 'mount +no policy can allow this: it changes the file tree' "$report"
equal "a call that is hidden" hidden "$(json 'calls["openat2"]["needs"]')"
equal "a number without a name" hidden "$(json 'calls["#1000"]["needs"]')"
equal "one of two sockets is refused" '[2, 1, true]' \
	"$(json '[calls["socket"][k] for k in ("count", "refused", "by_arguments")]')"
equal "for these arguments" '[[40, 1, 0], "AF_VSOCK, SOCK_STREAM, 0", "EAFNOSUPPORT"]' \
	"$(json '[[a["values"], a["text"], a["error"]]
		for a in r["arguments"] if a["name"] == "socket"][0]')"
like "people read it as well" 'socket +AF_VSOCK, SOCK_STREAM, 0 \(EAFNOSUPPORT, 1 time\)' "$report"
equal "the policy lacks nothing" '{"extends": "exec", "syscalls": {"allow": []}}' \
	"$(json 'r["policy"]')"
like "and that is said" 'The policy "exec" has all that a policy could allow' "$report"

# Refused by number in this policy, and still for its arguments once it is allowed.
trace --policy classic-judge --ro "$probe:/probe" -- /probe calls
equal "a missing call" allow "$(json 'calls["socket"]["needs"]')"
equal "one call of a group is named alone" '["socket"]' "$(json 'r["policy"]["syscalls"]["allow"]')"
equal "what is refused with it allowed, too" '["AF_VSOCK, SOCK_STREAM, 0"]' \
	"$(json '[a["text"] for a in r["arguments"]]')"

# Several calls of a group, and one of none: the advice is followed, and works.
server='import fcntl, socket
s = socket.socket()
s.bind(("127.0.0.1", 8000))
s.listen()
fcntl.flock(1, fcntl.LOCK_EX)
print("done")'
"$run" exec --policy classic-judge -- python3 -c "$server" >"$scratch/stdout" 2>/dev/null
equal "a program that its policy does not let work" 1 $?
trace --policy classic-judge -- python3 -c "$server"
equal "works while it is traced" "0 done" "$status $(cat "$scratch/stdout")"
equal "groups are named where they serve" '["@net", "flock"]' \
	"$(json 'r["policy"]["syscalls"]["allow"]')"
sed -n '/^{/,/^}/p' "$scratch/report" >"$scratch/mine.json"
equal "the advice is a policy" "$scratch/mine.json: no fault found" \
	"$("$run" policy check "$scratch/mine.json" 2>&1)"
equal "with which the program works" done \
	"$("$run" exec --policy "$scratch/mine.json" -- python3 -c "$server" 2>&1)"
trace --policy "$scratch/mine.json" -- python3 -c "$server"
equal "and lacks nothing more" '["mine", []]' \
	"$(json '[r["policy"]["extends"], r["policy"]["syscalls"]["allow"]]')"

# Children, threads, limits, failures.
trace --ro "$probe:/probe" -- /probe family
equal "threads and children are seen" '[1, 1]' \
	"$(json '[calls[k]["count"] for k in ("getsid", "getpgid")]')"
trace --wall 300ms --ro "$probe:/probe" -- /probe calls-forever
equal "the time limit holds" 124 $status
like "and is said" 'time limit' "$(cat "$scratch/stderr")"
equal "what was seen by then is reported" true "$(json 'calls["getppid"]["count"] > 10')"
trace --wall 300ms --ro "$probe:/probe" -- /probe sleep 1000
equal "also while nothing happens" 124 $status
trace -- /no/such/command
equal "a command that is not there" 127 $status
like "is named" '/no/such/command: not found in the jail' "$(cat "$scratch/stderr")"
trace --ro "$probe:/probe" -- /probe i386
equal "a foreign ABI ends it all the same" 159 $status
"$run" trace -- true >"$scratch/stdout" 2>"$scratch/stderr"
like "without -o the report is on stderr" '^sandbox-run trace: [0-9]+ system calls' \
	"$(cat "$scratch/stderr")"
equal "and stdout is the command's" '' "$(cat "$scratch/stdout")"
equal "-q says nothing" '' "$("$run" trace -q -- true 2>&1)"
"$run" trace 2>"$scratch/stderr"
equal "no command is a usage error" 2 $?
equal "help has at most 80 columns" '' "$("$run" trace --help | awk 'length > 80')"

# Ctrl-C while it runs: nothing is left.
"$run" trace -q --ro "$probe:/probe" -- /probe calls-forever 2>"$scratch/stderr" &
pid=$!
while kill -0 $pid && ! child=$(pgrep -P $pid); do sleep 0.01; done 2>"$scratch/stderr"
kill -TERM $pid
wait $pid
equal "a signal ends it" 143 $?
report "and its jail" "$(ps -o pid=,args= -p "${child//$'\n'/,}")"
finish
