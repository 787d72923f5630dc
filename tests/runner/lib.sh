# SPDX-License-Identifier: MIT
# What the tests of sandbox-runner share: private Redis and Postgres servers, on unix sockets in the
# scratch folder, stopped by their pids. Sourced; brings check, equal, like, member of
# tests/pipeline.
. "$(dirname "${BASH_SOURCE[0]}")/../pipeline/lib.sh"

chmod 711 "$scratch"
servers=() # NAME:PID
trap 'servers_stop; rm -rf "$scratch"' EXIT

servers_stop() {
	local one
	for one in "${servers[@]}"; do
		kill -KILL "${one#*:}" 2>/dev/null
		wait "${one#*:}" 2>/dev/null
	done
	servers=()
}

# server_pid NAME
server_pid() {
	local one
	for one in "${servers[@]}"; do
		[ "${one%%:*}" != "$1" ] || echo "${one#*:}"
	done
}

server_forget() { # NAME
	local one kept=()
	for one in "${servers[@]}"; do
		[ "${one%%:*}" = "$1" ] || kept+=("$one")
	done
	servers=("${kept[@]}")
}

# until_true TRIES COMMAND...: tries every 50 ms; a condition is waited for, never a time.
until_true() {
	local tries=$1
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# redis_start [NAME [OPTION...]]: with AOF and noeviction, as docs/queue.md asks; options come last
# and win. Sets redis_socket and redis_url; redis-cli is `redis COMMAND...`. NAME (redis) may be
# started again after redis_stop: its data are still there.
redis_start() {
	redis_launch "$@"
	until_true 400 redis_is_up || {
		echo "# redis-server did not start:" && sed 's/^/# /' "$scratch/${1:-redis}/log"
		return 1
	}
}

# The same without waiting until it serves.
redis_launch() {
	local name=${1:-redis} dir
	shift
	dir=$scratch/$name
	mkdir -p "$dir"
	redis_socket=$dir/socket
	redis_url=unix://$redis_socket
	rm -f "$redis_socket"
	# Debian's redis-tools has the server in it, under the name of a tool
	(exec -a redis-server "$(command -v redis-server || command -v redis-check-rdb)" \
		--port 0 --unixsocket "$redis_socket" --dir "$dir" --daemonize no --save '' \
		--appendonly yes --appendfsync everysec --maxmemory-policy noeviction "$@") \
		>>"$dir/log" 2>&1 </dev/null &
	servers+=("$name:$!")
}

redis() {
	redis-cli -s "$redis_socket" "$@"
}

redis_is_up() {
	[ "$(redis ping 2>&1)" = PONG ]
}

# redis_stop [NAME [SIGNAL]]: TERM writes what AOF holds back; KILL is a crash.
redis_stop() {
	local name=${1:-redis} pid
	pid=$(server_pid "$name")
	[ -n "$pid" ] || return 0
	kill -"${2:-TERM}" "$pid"
	wait "$pid" 2>/dev/null
	server_forget "$name"
}

# The newest Postgres that is installed, or what SANDBOX_POSTGRES_DIR names, as for sandbox-run.
postgres_bin() {
	[ -z "${SANDBOX_POSTGRES_DIR:-}" ] || { echo "$SANDBOX_POSTGRES_DIR" && return; }
	find /usr/lib/postgresql /usr/local -maxdepth 3 -name postgres -path '*/bin/*' 2>/dev/null |
		sort -V | tail -1 | xargs -r dirname
}

# Postgres refuses to run as root.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# postgres_start [NAME [OPTION...]]: superuser `postgres`, no password on its socket. Sets
# postgres_socket (a folder), postgres_url (of the database `postgres`); psql is `sql SQL`.
# `-c listen_addresses=127.0.0.1 -c port=N` for TCP. Started again after postgres_stop, it has its
# data.
postgres_start() {
	local name=${1:-postgres} dir bin
	shift
	dir=$scratch/$name
	bin=$(postgres_bin)
	[ -n "$bin" ] || {
		echo "# no Postgres server is installed"
		return 1
	}
	if [ ! -d "$dir" ]; then
		mkdir -p "$dir/socket"
		[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$dir"
		(cd / && as_postgres "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 \
			--locale=C --no-sync >"$scratch/initdb.log" 2>&1) || {
			echo "# initdb failed:" && sed 's/^/# /' "$scratch/initdb.log"
			return 1
		}
	fi
	postgres_socket=$dir/socket
	postgres_url="postgresql://postgres@/postgres?host=$postgres_socket"
	# exec, so that the pid is the server's
	(cd / && if [ "$(id -u)" = 0 ]; then
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$bin/postgres" \
			-D "$dir/data" \
			-k "$postgres_socket" -c listen_addresses= -c fsync=off \
			-c max_connections=200 "$@"
	else
		exec "$bin/postgres" -D "$dir/data" -k "$postgres_socket" -c listen_addresses= \
			-c fsync=off \
			-c max_connections=200 "$@"
	fi) >>"$scratch/$name.log" 2>&1 </dev/null &
	servers+=("$name:$!")
	until_true 400 sql 'SELECT 1' || {
		echo "# postgres did not start:" && sed 's/^/# /' "$scratch/$name.log"
		return 1
	}
}

sql() { # SQL [PSQL-OPTION...]: rows as lines, columns with |
	local text=$1
	shift
	psql -X -q -A -t -v ON_ERROR_STOP=1 "$postgres_url" "$@" -c "$text"
}

# postgres_stop [NAME [SIGNAL]]: INT is fast and clean, QUIT is a crash of all its processes at
# once.
postgres_stop() {
	local name=${1:-postgres} pid
	pid=$(server_pid "$name")
	[ -n "$pid" ] || return 0
	kill -"${2:-INT}" "$pid"
	wait "$pid" 2>/dev/null
	server_forget "$name"
}

# tap_program NAME COMMAND...: a program that prints TAP itself; its tests are counted with ours.
tap_program() {
	local name=$1 out status line planned seen=0 failed=0
	shift
	out=$(CMOCKA_MESSAGE_OUTPUT=TAP "$@" 2>&1)
	status=$?
	planned=$(sed -nE 's/^1\.\.([0-9]+).*/\1/p' <<<"$out" | head -1)
	while IFS= read -r line; do
		if [[ $line =~ ^ok\ [0-9]+\ -\ (.*) ]]; then
			pass "$name: ${BASH_REMATCH[1]}"
			seen=$((seen + 1))
		elif [[ $line =~ ^not\ ok\ [0-9]+\ -\ (.*) ]]; then
			fail "$name: ${BASH_REMATCH[1]}" "$out"
			seen=$((seen + 1))
			failed=1
		fi
	done <<<"$out"
	[ $failed = 1 ] || { [ "$seen" = "${planned:-none}" ] && [ $status = 0 ]; } ||
		fail "$name ends well" "status $status, $seen of ${planned:-no} tests" "$out"
}
