#!/bin/bash
# SPDX-License-Identifier: MIT
# Names of servers are looked up within a time (runner/net): with a name server that says nothing,
# in which the C library would wait for minutes. All of it in a network and with an /etc/resolv.conf
# of its own.
. "$(dirname "$0")/lib.sh"
needs_root
if [ "${1:-}" != inside ]; then
	echo 'nameserver 10.9.9.9
options timeout:30 attempts:5' >"$scratch/resolv.conf"
	echo 'hosts: files dns' >"$scratch/nsswitch.conf"
	export resolver=$scratch
	unshare --mount --net --propagation private bash "$0" inside
	exit
fi
mount --bind "$resolver/resolv.conf" /etc/resolv.conf
mount --bind "$resolver/nsswitch.conf" /etc/nsswitch.conf
ip link set lo up
ip addr add 10.9.9.9/32 dev lo
cd "$scratch" || exit 1
driver=$build/tests/runner/net-driver

python3 "$source_dir/tests/runner/nameserver.py" 10.9.9.9 >"$scratch/ready" &
servers+=("names:$!")
until_true 200 grep -q ready "$scratch/ready"

# Far below what the C library takes, far above what a busy machine does: the time it takes is not
# measured.
limited() { timeout 60 "$@" 2>&1; }

# --- names
equal "a name is found" 127.0.0.1 "$(limited "$driver" resolve 20000 redis.test </dev/null)"
equal "an address asks nobody" 10.1.2.3 "$(limited "$driver" resolve 1 10.1.2.3 </dev/null)"
mkfifo "$scratch/go"
timeout 60 "$driver" resolve 1000 redis.test <"$scratch/go" >"$scratch/found" &
asking=$!
exec 9>"$scratch/go"
until_true 200 test -s "$scratch/found"
touch silent
children() { pgrep -P "$(pgrep -P $asking)" | wc -l; }
echo >&9
two() { [ "$(wc -l <"$scratch/found")" = 2 ]; }
until_true 400 two
equal "what was found stands while no name server answers" "127.0.0.1 127.0.0.1" \
	"$(xargs <"$scratch/found")"
equal "and nobody goes on asking" 0 "$(children)"
exec 9>&-
wait $asking
equal "what was never found is given up" "no name server answers" \
	"$(limited "$driver" resolve 500 redis.test </dev/null)"

# --- Redis
like "Redis: away, to be asked again" \
	'^EAGAIN: cannot find the host of Redis, redis.test: no name server answers' \
	"$(SANDBOX_TEST_REDIS=redis://redis.test:6399 limited "$build/tests/runner/queue-driver" \
		enqueue a1 ann)"
rm silent
redis_start redis --port 6399 --bind 127.0.0.1 || exit 1
equal "and found" accepted \
	"$(SANDBOX_TEST_REDIS=redis://redis.test:6399 limited "$build/tests/runner/queue-driver" \
		enqueue a1 ann)"

# --- Postgres
touch silent
equal "Postgres: given up" "cannot find the host pg.test: no name server answers" \
	"$(limited "$driver" pq 500 postgresql://postgres@pg.test:6432/postgres)"
like "of several those are tried that are found" 'Connection refused' \
	"$(limited "$driver" pq 500 \
		'host=pg.test,10.9.9.9 port=6432,6433 dbname=postgres user=postgres')"
rm silent
PGPORT=6432 postgres_start postgres -c listen_addresses=127.0.0.1 -c port=6432 || exit 1
equal "it is connected by its name" "connected to pg.test at 127.0.0.1:6432" \
	"$(limited "$driver" pq 20000 postgresql://postgres@pg.test:6432/postgres)"
equal "the second of two, each with its port" "connected to pg.test at 127.0.0.1:6432" \
	"$(limited "$driver" pq 20000 \
		'host=10.9.9.9,pg.test port=6433,6432 dbname=postgres user=postgres')"
equal "by its socket, as before" "connected to $postgres_socket at :6432" \
	"$(limited "$driver" pq 20000 \
		"postgresql://postgres@/postgres?host=$postgres_socket&port=6432")"
like "what is no URL is libpq's to refuse" 'invalid|missing' \
	"$(limited "$driver" pq 500 'nosuch=1')"
finish
