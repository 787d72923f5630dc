#!/bin/bash
# SPDX-License-Identifier: MIT
# Wrong arguments, broken archives and challenges, Ctrl-C: what people see and what is left behind.
# alone: what is left on the host is counted
. "$(dirname "$0")/lib.sh"

"$run" exec -- true # sweeps what dead owners left before
before=$(traces)

# said NAME EXIT PATTERN COMMAND...
said() {
	local name=$1 expected=$2 pattern=$3 out code
	shift 3
	out=$("$@" 2>&1 </dev/null)
	code=$?
	equal "$name: exit code" "$expected" "$code" "$out"
	like "$name: message" "$pattern" "$out"
}

said "no command" 2 'usage' "$run"
said "unknown command" 2 'grade' "$run" grde
said "unknown option" 2 'challenge' "$run" grade x --chalenge y
said "no challenge" 2 'challenge' "$run" grade "$cars/submissions/correct"
said "no such submission" 2 'no/such' "$run" grade /no/such --challenge "$cars/challenge"
said "no such challenge" 2 'no/such' "$run" grade "$cars/submissions/correct" --challenge /no/such
said "help" 0 'Exit codes' "$run" grade --help
said "doctor finds no failure here" 0 'checks' "$run" doctor --store "$store"

# ------------------------------------------------------------------------------ exec
said "exec: the command's code" 7 '^$' "$run" exec -- sh -c 'exit 7'
said "exec: not found" 127 'no-such-program' "$run" exec -- no-such-program
said "exec: not executable" 126 'passwd' "$run" exec -- /etc/passwd
said "exec: signal" 139 '' "$run" exec -- sh -c 'kill -SEGV $$'
said "exec: wall limit" 124 'wall' "$run" exec --wall 100ms -- sleep 60
said "exec: cpu limit" 124 'cpu|processor' \
	"$run" exec --cpu-time 100ms -- sh -c 'while :; do :; done'
said "exec: memory limit" 137 'memory limit 32M' "$run" exec --memory 32M -- \
	sh -c 'x=$(head -c 200000000 /dev/zero | tr "\0" x); echo ${#x}'
said "exec: a bare number is no size" 2 'unit' "$run" exec --memory 64 -- true
echo hello >"$scratch/f" && chmod 755 "$scratch"
said "exec: read-only source" 0 'hello' "$run" exec --ro "$scratch:/data" -- cat /data/f
said "exec: read-only means it" 2 'Read-only|cannot create' \
	"$run" exec --ro "$scratch:/data" -- sh -c 'echo x > /data/new'
said "exec: missing source" 125 'no/such' "$run" exec --ro /no/such -- true
said "exec: environment is built" 0 '^A=b$' env SECRET=1 \
	"$run" exec --env A=b -- sh -c 'env | grep -E "^(A|SECRET)="'

# -------------------------------------------------------------------------- archives
printf 'this is not a zip' >"$scratch/not.zip"
grade "$scratch/not.zip" "$cars/challenge"
equal "not a zip: CE" CE "$(member .verdict)"
like "not a zip: says so" 'zip' "$(member .reason)"
zip_folder "$cars/submissions/correct" "$scratch/good.zip"
head -c 5000 "$scratch/good.zip" >"$scratch/cut.zip"
grade "$scratch/cut.zip" "$cars/challenge"
equal "truncated zip: CE" CE "$(member .verdict)"
python3 - "$scratch" <<'PY'
import sys, zipfile, stat
d = sys.argv[1]
with zipfile.ZipFile(d + "/slip.zip", "w") as z:
    z.writestr("package.json", "{}")
    z.writestr("../../outside", "x")
with zipfile.ZipFile(d + "/link.zip", "w") as z:
    i = zipfile.ZipInfo("package.json")
    i.create_system, i.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    z.writestr(i, "/etc/shadow")
with zipfile.ZipFile(d + "/bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("package.json", "{}")
    for n in range(8):
        z.writestr(f"zeros{n}", b"\0" * (100 << 20))
PY
grade "$scratch/slip.zip" "$cars/challenge"
equal "a name that leaves the folder: CE" CE "$(member .verdict)"
like "a name that leaves the folder: named" 'outside' "$(member .reason)"
grade "$scratch/link.zip" "$cars/challenge"
equal "a symbolic link: CE" CE "$(member .verdict)"
like "a symbolic link: named" 'package.json' "$(member .reason)"
grade "$scratch/bomb.zip" "$cars/challenge"
like "a bomb meets the disk limit" '^(CE|DLE)$' "$(member .verdict)"
mkdir "$scratch/empty"
grade "$scratch/empty" "$cars/challenge"
equal "an empty folder: CE" CE "$(member .verdict)"

# ------------------------------------------------------------------------ challenges
mkdir -p "$scratch/bad/tests"
cp "$cars"/challenge/tests/*.hurl "$scratch/bad/tests/"
printf '{\n  "title": "x",\n  "tests": ["tests/*.hurl"],\n  "prot": 8000\n}\n' \
	>"$scratch/bad/challenge.json"
said "an unknown key" 2 'challenge.json:4.*(port|prot)' \
	"$run" grade "$cars/submissions/correct" --challenge "$scratch/bad"
printf '{ "title": "x", "tests": ["tests/*.hurl"], "port": 8000 }\n' >"$scratch/bad/challenge.json"
printf 'GET {{base}}/\nHTTP 200\n[Asserts]\njsonpath "$.a" equls 1\n' \
	>"$scratch/bad/tests/09-bad.hurl"
said "a mistake in a test" 2 '09-bad.hurl:4:16' \
	"$run" grade "$cars/submissions/correct" --challenge "$scratch/bad"

# ----------------------------------------------------------------------------- Ctrl-C
# Interrupted when a given stage begins: the progress line is what is waited for, not the clock.
interrupted() { # SIGNAL PATTERN
	local pid tries=0
	rm -f "$scratch/result.json"
	: >"$scratch/stderr" # or the line of an earlier run is found, before this one has begun
	setsid "$run" grade "$cars/submissions/silent" --challenge "$cars/challenge" \
		--store "$store" --color never \
		--json="$scratch/result.json" -v 2>"$scratch/stderr" &
	pid=$!
	until grep -q "$2" "$scratch/stderr" || [ $((tries += 1)) -gt 600 ]; do sleep 0.05; done
	kill -s "$1" $pid
	wait $pid
	equal "$1 after $2: exit code" 130 $?
	equal "$1 after $2: the result says so" CANCELLED "$(member .verdict)"
}
interrupted INT fetch
interrupted INT unpack
interrupted TERM migrate
interrupted INT start

# Killed outright: the jails die at once with their creator; the next run sweeps the rest.
jailed() { pgrep -fc '^sandbox-(init|relay)$'; }
others=$(jailed)
"$run" grade "$cars/submissions/silent" --challenge "$cars/challenge" --store "$store" \
	--color never -q 2>/dev/null &
pid=$!
tries=0
until [ "$(jailed)" -ge $((others + 2)) ] || [ $((tries += 1)) -gt 600 ]; do sleep 0.05; done
kill -KILL $pid
wait $pid 2>/dev/null
tries=0
until [ "$(jailed)" -le "$others" ] || [ $((tries += 1)) -gt 600 ]; do sleep 0.05; done
check "kill -9: no jail lives on" test "$(jailed)" -le "$others"
"$run" exec -- true
nothing_left "$before"
finish
