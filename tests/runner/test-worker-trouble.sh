#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-runner run when something around it is not as it should be: an id that was used before, a
# Redis that was lost or is full, a slot that hangs, a log that nobody reads, text that is made to
# deceive.
# alone: what is left on the host is counted
. "$(dirname "$0")/worker.sh"

challenge_notes || exit 1
cp -r "$scratch/made" "$scratch/challenges/other"
worker_config <<JSON || exit 1
{
	"name": "w1", "slots": 1, "challenges": "challenges", "store": "$store",
	"redis": { "url": "$redis_url", "timeout": "1s" },
	"ledger": { "url": "$postgres_url" },
	"queue": { "lease": "3s", "student_running": 4, "student_waiting": 100 },
	"fetch": { "file_root": "archives", "timeout": "1s" },
	"log": { "level": "debug", "format": "json" }
}
JSON

# ------------------------------------------------------------------- helpers
submit() { # ID STUDENT ARCHIVE [OPTION...]
	local id=$1 student=$2 archive=$3
	shift 3
	"$runner" submit "$scratch/archives/$archive" --id "$id" --student "$student" \
		--challenge notes --no-follow --quiet --config "$config" "$@" >/dev/null
}

rows() {
	sql "SELECT judge_rev, student, verdict FROM sandbox.result
		WHERE submission = '$1' ORDER BY 1" \
		| xargs
}

# ---------------------------------------------------- an id that was used before
worker_start
submit mine ann good.zip
await "ann's submission is done" is_in_state mine done
# after keep_s, or a Redis that lost it
redis del 'sbx:{q}:job:mine' >/dev/null
submit mine ann wrong.zip
await "the same id again, of the same student" is_in_state mine done
equal "its result of then stands" "AC 1" "$(field mine verdict) $(field mine rev)"
redis del 'sbx:{q}:job:mine' >/dev/null
submit mine bob wrong.zip
await "the same id again, of somebody else" is_in_state mine done
equal "who does not get ann's result" IE "$(field mine verdict)"
equal "the ledger keeps hers" "1|ann|AC" "$(rows mine)"
like "there is a dead letter" 'another submission has the same id' \
	"$("$runner" admin dead ls --config "$config")"
equal "and nobody is told whose it was" "" "$(redis --raw hgetall 'sbx:{q}:job:mine' | grep -w ann)"
"$runner" admin retry mine --config "$config" >/dev/null
await "once more, by an operator" eval '[ "$(field mine state) $(field mine rev)" = "done 2" ]'
equal "it is the same, and the ledger, too" "IE 1|ann|AC" "$(field mine verdict) $(rows mine)"
redis del 'sbx:{q}:job:mine' >/dev/null
submit mine ann good.zip --challenge other
await "the same id again, of another challenge" is_in_state mine done
equal "is not that result either" IE "$(field mine verdict)"

# ------------------------------------------------ a row that somebody has written to
submit odd ann good.zip
await "a submission is done" is_in_state odd done
sql "UPDATE sandbox.result SET worker = repeat('w', 80) WHERE submission = 'odd'"
redis del 'sbx:{q}:job:odd' >/dev/null
submit odd ann good.zip
await "what cannot be read holds up nobody" is_in_state odd done
equal "it is our failure" IE "$(field odd verdict)"
like "and a dead letter" 'what the ledger has of it cannot be read' \
	"$("$runner" admin dead ls --config "$config")"
sql "DELETE FROM sandbox.result WHERE submission = 'odd'"

# ------------------------------------------------- judged again, and Redis lost it
submit twice ann wrong.zip
await "a submission is done" is_in_state twice done
"$runner" admin retry twice --config "$config" >/dev/null
await "and judged again" eval '[ "$(field twice state) $(field twice rev)" = "done 2" ]'
submitted=$(field twice submitted)
redis flushall >/dev/null
submit twice ann wrong.zip
await "Redis forgot all, and it is handed in again" is_in_state twice done
equal "its newest result is committed, as what it is" "2 $submitted" \
	"$(field twice rev) $(field twice submitted)"
"$runner" admin retry twice --config "$config" >/dev/null
await "and judged again once more" eval '[ "$(field twice state) $(field twice rev)" = "done 3" ]'
equal "it really was" "1|ann|PARTIAL 2|ann|PARTIAL 3|ann|PARTIAL" "$(rows twice)"

# -------------------------------------------------------------- Redis is full
await "there is a judge" has_judge
kill -STOP "$(judge)"
submit full ann good.zip
await "it is claimed" is_in_state full running
fence=$(field full fence)
redis config set maxmemory 1 >/dev/null
lease=$(redis zscore 'sbx:{q}:leases' full)
renewed() { [ "$(redis zscore 'sbx:{q}:leases' full)" != "$lease" ]; }
await "Redis is full: leases are renewed" renewed
kill -CONT "$(judge)"
await "and what ran is committed" is_in_state full done
equal "by the one who ran it" "AC $fence" "$(field full verdict) $(field full fence)"
redis config set maxmemory 0 >/dev/null

# --------------------------------------------------------------- a slot hangs
await "there is a judge" has_judge
kill -STOP "$(judge)"
submit hangs ann good.zip
await "it is claimed" is_in_state hangs running
victim=$(slots | head -1) stopped=$(judge)
kill -STOP "$victim"
await "a slot that hangs is killed" has_logged 'slot 0 has said nothing for .* killed'
kill -CONT "$stopped"
await "and its job runs again" is_in_state hangs done
equal "as the second attempt" "AC 2" "$(field hangs verdict) $(field hangs att)"
worker_stop TERM

# ------------------------------------------------------------ nobody reads the log
cat >"$scratch/unread.py" <<'PY'
import fcntl, os, signal, subprocess, sys
r, w = os.pipe()
fcntl.fcntl(w, 1031, 4096)  # F_SETPIPE_SZ
p = subprocess.Popen(sys.argv[2:], stdout=w, stderr=w, stdin=subprocess.DEVNULL)
os.close(w)
signal.signal(signal.SIGTERM, lambda *_: (p.terminate(), sys.exit(1)))
open(sys.argv[1] + ".pid", "w").write(str(p.pid))
os.read(os.open(sys.argv[1], os.O_RDONLY), 1)  # until somebody wants to read
with open(sys.argv[1] + ".log", "wb") as f:
    while data := os.read(r, 65536):
        f.write(data)
        f.flush()
sys.exit(p.wait())
PY
mkfifo "$scratch/unread"
python3 "$scratch/unread.py" "$scratch/unread" "$runner" run --config "$config" &
reader=$!
for i in 1 2 3 4 5 6; do
	submit "unread$i" "s$i" good.zip
done
for i in 1 2 3 4 5 6; do
	await "a log that nobody reads: $i" is_in_state "unread$i" done
done
equal "no lease was lost" "1 1 1 1 1 1" \
	"$(for i in 1 2 3 4 5 6; do field unread$i att; done | xargs)"
echo >"$scratch/unread"
told() { grep -q 'lines of this log were lost' "$scratch/unread.log" 2>/dev/null; }
submit read ann good.zip
await "when it is read again it says that lines are missing" told
kill -TERM "$(cat "$scratch/unread.pid")"
wait "$reader"

# --------------------------------------------------------- two of the same name
worker_start
"$runner" run --config "$config" >"$scratch/second.log" 2>&1 </dev/null &
second=$!
told() { cat "$log" "$scratch/second.log" | grep -q 'another worker has the same name'; }
await "two workers of the same name are told" told
kill -TERM "$second"
wait "$second"
worker_stop TERM

# --------------------------------------------------------------- made to deceive
redis rpush submissions $'{"id":"x","student":"\e[2J\e[31mroot"}' >/dev/null
worker_start --queue-intake submissions
dead_letter() { redis --raw xrange 'sbx:{q}:dead' - + | grep -q 'student'; }
await "a payload with escapes of a terminal is a dead letter" dead_letter
equal "they do not come out of admin dead" 0 \
	"$("$runner" admin dead ls --config "$config" | grep -c $'\e')"
worker_stop TERM
redis hset 'sbx:{q}:job:read' reason $'\e[2Jgone' >/dev/null
redis xadd 'sbx:{q}:log:read' '*' kind $'\e[2J' text $'\e[2J' >/dev/null
equal "nor out of admin job" 0 "$("$runner" admin job read --config "$config" | grep -c $'\e')"

nothing_left "$before"
finish
