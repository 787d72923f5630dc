#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The queue (runner/fleet/queue) against a private Redis: states and rules, random operations of
# processes that die, Redis that restarts, and what Redis can answer instead of working.
. "$(dirname "$0")/lib.sh"
drivers=$build/tests/runner
invariants=$source_dir/tests/runner/queue-invariants.lua

queue() { # [URL] is $url
	SANDBOX_TEST_REDIS=${url:-$redis_url} "$drivers/queue-driver" "$@" 2>&1
}

redis_start || {
	fail "redis starts"
	finish
	exit 1
}

export SANDBOX_TEST_REDIS=$redis_url
tap_program states "$drivers/queue-states"
tap_program rules "$drivers/queue-rules"
tap_program damage "$drivers/queue-damage"

# What it takes to be allowed: the line of docs/queue.md
acl=$(sed -n 's/^ACL SETUSER runner //p' "$source_dir/docs/queue.md" |
		sed 's/>PASSWORD/>pw/; s/~sbx:\*/~sbx:* ~t*/')
equal "the permissions of the manual are those of Redis" OK "$(redis acl setuser runner ${acl:?})"
SANDBOX_TEST_REDIS=unix://runner:pw@$redis_socket tap_program "as a user of few rights" \
	"$drivers/queue-states"

# --- random operations
storm() { # SEED OPERATIONS
	local out
	redis flushall >/dev/null
	out=$("$drivers/queue-storm" "$invariants" "$1" "$2" 2>&1)
	if [ "${out##*$'\n'}" = ok ]; then
		pass "what is always true holds (${out%%$'\n'*})"
	else
		fail "what is always true holds, seed $1" "$out"
	fi
}
storm 1 600
storm 2 600

# With Redis killed and started again under it; what it has acknowledged it still has, for the
# kernel has what it wrote.
redis flushall >/dev/null
"$drivers/queue-storm" "$invariants" 3 1000000 >"$scratch/storm" 2>&1 &
storm=$!
for signal in KILL TERM KILL; do
	events=$(redis xlen 'storm:{q}:results')
	more() { [ "$(redis xlen 'storm:{q}:results')" -gt "$events" ] || ! kill -0 $storm; }
	until_true 400 more
	kill -0 $storm 2>/dev/null && pass "there is work when Redis gets SIG$signal" ||
		fail "there is work when Redis gets SIG$signal" "$(cat "$scratch/storm")"
	redis_stop redis $signal
	redis_start
done
until_true 400 more
kill $storm
if wait $storm; then
	pass "and it holds when Redis restarts ($(head -1 "$scratch/storm"))"
else
	fail "and it holds when Redis restarts" "$(cat "$scratch/storm")"
fi

# The manual names every key there is.
names=$(redis --scan --pattern 'storm:{q}:*' | sed 's/^storm:{q}://; s/[:/].*//' | sort -u)
report "every kind of key is in the manual" "$(for name in $names; do
	grep -qE "^\|.*\`$name(:|\`)" "$source_dir/docs/queue.md" ||
		echo "$name is not in docs/queue.md"
done)"
equal "there were keys to look for" yes "$([ "$(wc -w <<<"$names")" -gt 10 ] && echo yes)"

# --- Redis that does not work
redis flushall >/dev/null
mkfifo "$scratch/go"
queue twice conn <"$scratch/go" >"$scratch/twice" &
twice=$!
exec 9>"$scratch/go"
said() { [ -s "$scratch/twice" ]; }
until_true 200 said
redis_stop
equal "a queue that is away" \
	"EAGAIN: cannot connect to Redis at $redis_socket: No such file or directory; is it running, and may this user reach its socket?" \
	"$(rm -f "$redis_socket"; queue enqueue a1 ann)"
redis_start
echo >&9
exec 9>&-
wait "$twice"
equal "a connection that was cut says so once" "accepted EAGAIN" \
	"$(sed 's/:.*//' "$scratch/twice" | xargs)"
equal "and Redis still has what it had" duplicate "$(queue enqueue conn conn)"

pid=$(server_pid redis)
kill -STOP "$pid"
equal "Redis that does not answer" "EAGAIN: Redis is away: no answer in time" \
	"$(queue enqueue a1 ann)"
kill -CONT "$pid"

redis config set maxmemory 1 >/dev/null
equal "Redis that is full" "EAGAIN: Redis has reached its maxmemory: raise it" \
	"$(queue enqueue a2 ann)"
redis config set maxmemory 0 >/dev/null
equal "nothing of a refused script has happened" 0 "$(redis exists 'sbx:{q}:job:a2')"

redis replicaof 127.0.0.1 1 >/dev/null
like "a replica" "^EAGAIN: this Redis is a replica" "$(queue enqueue a2 ann)"
like "a replica, to the doctor" "fatal: this Redis is a replica" "$(queue requires)"
redis replicaof no one >/dev/null

mkdir "$scratch/redis/dump.rdb"
redis config set save '3600 1' >/dev/null
redis bgsave >/dev/null
saved() { redis info persistence | grep -q 'rdb_last_bgsave_status:err'; }
until_true 200 saved
like "Redis that cannot write its snapshot" "^EAGAIN: Redis cannot write to its disk" \
	"$(queue enqueue a2 ann)"
redis config set save '' >/dev/null
equal "and nothing of that has happened either" 0 "$(redis exists 'sbx:{q}:job:a2')"

redis config set lua-time-limit 5 >/dev/null
redis eval 'while true do end' 0 >/dev/null 2>&1 &
busy() { [[ $(redis ping 2>&1) = BUSY* ]]; }
until_true 200 busy
like "Redis with a script that does not end" "^EAGAIN: Redis is busy" "$(queue enqueue a2 ann)"
redis script kill >/dev/null
wait $!

redis acl setuser weak on '>pw' '~*' +@read >/dev/null
equal "a user who may not" "EACCES: this user of Redis may not do what the queue needs (ACL)" \
	"$(url=unix://weak:pw@$redis_socket queue enqueue a2 ann)"
like "a password that nobody set" "^EACCES: Redis has no password set" \
	"$(url=unix://:pw@$redis_socket queue enqueue a2 ann)"
redis config set requirepass secret >/dev/null
like "no password" "^EACCES: Redis wants a password" "$(queue enqueue a2 ann)"
like "the wrong password" "^EACCES: Redis does not accept this" \
	"$(url=unix://:wrong@$redis_socket queue enqueue a2 ann)"
equal "the right password" accepted "$(url=unix://:secret@$redis_socket queue enqueue a2 ann)"
redis -a secret --no-auth-warning config set requirepass '' >/dev/null
like "a database that is not there" "^EACCES: Redis does not have the database" \
	"$(url=unix://$redis_socket?db=99 queue enqueue a2 ann)"
equal "another database is another queue" accepted \
	"$(url=unix://$redis_socket?db=1 queue enqueue a2 ann)"

# Slowed down on purpose: it looks at its clients after each 1024 commands
redis_stop
redis_start slow
for i in {1..2000}; do echo "SET k$i v"; done | redis >/dev/null
redis_stop slow
redis_launch slow --key-load-delay 500
starting() { [ -S "$redis_socket" ]; }
until_true 200 starting
like "Redis that is starting" "^EAGAIN: Redis is reading its data" "$(queue enqueue a3 ann)"
until_true 400 redis_is_up
equal "and then has its data" 2000 "$(redis dbsize)"
redis_stop slow

redis_start other --appendonly no --maxmemory-policy allkeys-lru
requires=$(queue requires)
like "eviction is fatal" "fatal: maxmemory-policy is allkeys-lru" "$requires"
like "no AOF is told" "note: appendonly is off" "$requires"
redis_stop other
redis_start
equal "a Redis as it should be" 0 "$(queue requires)"

# --- producers that only know a list
redis lpush submissions '{"id":"d1","challengeId":"c","url":"https://b/ann-challenge-c"}' \
	"$(printf '\377\376 no text')" "$(printf '[%.0s' {1..5000})" >/dev/null
equal "the list is taken in" 3 "$(queue intake submissions)"
equal "and is empty" "0 0" "$(redis llen submissions) $(redis llen 'sbx:{q}:intake')"
equal "what made no sense is kept with its reason" 2 "$(redis xlen 'sbx:{q}:dead')"
equal "what made sense is judged" committed "$(queue judge)"
payload=$(sed -n "s/^redis-cli LPUSH submissions '\(.*\)'$/\1/p" "$source_dir/docs/queue.md")
redis lpush submissions "${payload:?}" >/dev/null
queue intake submissions >/dev/null
equal "the payload of the manual is taken" queued "$(redis hget 'sbx:{q}:job:7d0b...' state)"
finish
