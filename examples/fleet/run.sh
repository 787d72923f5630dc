#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A contest on this machine: private Redis and Postgres, a file server, two workers; 40 students
# hand in 200 submissions, and the leaderboard is shown live. Ctrl-C at any moment ends all and
# leaves nothing.
#
# Usage: examples/fleet/run.sh [OPTIONS]
#   --submissions N   how many (default: 200)
#   --students N      of how many students (default: 40)
#   --rate N          handed in a minute at the height of the contest (default: 120)
#   --keep            a contest page, too; all goes on until Ctrl-C
#   --build DIR       of built programs; without it examples/setup.sh installs what is missing
#                     and builds
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd) || exit
cd "$root" || exit

submissions=200 students=40 rate=120 keep='' build=''
usage() {
	sed -n '/^# Usage/,/^[^#]/s/^# \{0,1\}//p' "$0"
	exit "$1"
}
number() { # OPTION VALUE
	[[ $2 =~ ^[1-9][0-9]{0,4}$ ]] || {
		echo "run.sh: $1 needs a number from 1 to 99999" >&2
		exit 2
	}
}
while [ $# -gt 0 ]; do
	case $1 in
	--submissions | --students | --rate)
		number "$1" "${2:-}"
		declare "${1#--}=$2"
		shift
		;;
	--keep) keep=1 ;;
	--build)
		build=$(cd "${2:-/nowhere}" && pwd) || exit 2
		shift
		;;
	-h | --help) usage 0 ;;
	*) usage 2 >&2 ;;
	esac
	shift
done

say() { printf '%s\n' "== $*" >&2; }
die() {
	printf 'run.sh: %s\n' "$*" >&2
	exit 1
}

# ------------------------------------------------------------------ the ends
# Everything is started in a session of its own, so that Ctrl-C reaches this script only, which ends
# them in order: who hands in, the workers, then what they use.
work='' show='' page='' files='' redis='' postgres='' workers=()
end() { # SIGNAL PID...: of ours, by pid
	local signal=$1 pid
	shift
	for pid in "$@"; do
		kill -"$signal" "$pid" 2>/dev/null
	done
	for pid in "$@"; do
		wait "$pid" 2>/dev/null
	done
}
clean_up() {
	trap '' INT TERM HUP
	end TERM $show $page
	end QUIT "${workers[@]}" # gives back what it has, at once
	end TERM $files $redis
	end INT $postgres
	[ -z "$work" ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# until_true COMMAND...: half a minute at most
until_true() {
	local tries=600
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# ----------------------------------------------------------------- programs
if [ -z "$build" ]; then
	examples/setup.sh || exit 1
	build=$root/build
	# The package holds the server program under another name, and starts no service.
	command -v redis-cli >/dev/null || {
		say "installing redis-tools"
		{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
			--no-install-recommends redis-tools; } >/dev/null 2>&1 ||
			die "redis-tools cannot be installed"
	}
fi
runner=$build/runner/fleet/sandbox-runner
store=${SANDBOX_STORE:-/var/lib/sandbox}
node=$store/runtime/node/bin/node
[ -x "$runner" ] || die "$runner is not there"
[ -x "$node" ] || die "$node is not there: runner/toolchain/install.sh $store"
redis_server=$(command -v redis-server || command -v redis-check-rdb) ||
	die "no Redis: apt-get install redis-tools"
postgres_bin=$(find /usr/lib/postgresql /usr/local -maxdepth 3 -name postgres -path '*/bin/*' \
		2>/dev/null |
	sort -V | tail -1 | xargs -r dirname)
[ -n "$postgres_bin" ] || die "no Postgres: examples/setup.sh installs it"
unset "${!SANDBOX_RUNNER_@}"

# ------------------------------------------------------------------ servers
work=$(mktemp -d "${TMPDIR:-/tmp}/fleet.XXXXXX") || exit 1
chmod 711 "$work"
mkdir "$work"/{redis,postgres,zips,challenges} || exit 1

redis_cli() { redis-cli -s "$work/redis/socket" "$@"; }
start_redis() {
	setsid bash -c 'exec -a redis-server "$@"' - "$redis_server" --port 0 \
		--unixsocket "$work/redis/socket" \
		--dir "$work/redis" --daemonize no --save '' --appendonly yes \
		--maxmemory-policy noeviction \
		</dev/null >"$work/redis.log" 2>&1 &
	redis=$!
	until_true redis_cli ping || die "Redis does not start: $(tail -3 "$work/redis.log")"
}

# Postgres refuses to run as root.
as_postgres=()
[ "$(id -u)" != 0 ] || as_postgres=(setpriv --reuid=65534 --regid=65534 --clear-groups)
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$ledger" -c "$1"; }
start_postgres() {
	ledger="postgresql://postgres@/postgres?host=$work/postgres"
	[ "$(id -u)" != 0 ] || chown 65534:65534 "$work/postgres"
	(cd / && "${as_postgres[@]}" "$postgres_bin/initdb" -D "$work/postgres/data" -U postgres \
		-A trust -E UTF8 --locale=C --no-sync) >"$work/postgres.log" 2>&1 ||
		die "initdb: $(tail -3 "$work/postgres.log")"
	(cd / && exec setsid "${as_postgres[@]}" "$postgres_bin/postgres" -D "$work/postgres/data" \
		-k "$work/postgres" -c listen_addresses= -c max_connections=100) \
		</dev/null >>"$work/postgres.log" 2>&1 &
	postgres=$!
	until_true sql 'SELECT 1' || die "Postgres does not start: $(tail -3 "$work/postgres.log")"
}

start_files() {
	setsid python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$work/zips" \
		</dev/null >"$work/files.log" 2>&1 &
	files=$!
	until_true grep -q ' port ' "$work/files.log" || die "the file server does not start"
	port=$(sed -nE 's/.* port ([0-9]+) .*/\1/p;q' "$work/files.log")
}

zip_folder() { # FOLDER ZIP
	python3 -c 'import shutil, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL) # no traceback
shutil.make_archive(sys.argv[2][:-4], "zip", sys.argv[1])' "$1" "$2"
}
make_zips() {
	local challenge folder
	for challenge in car-rental todo; do
		cp -r "examples/$challenge/challenge" "$work/challenges/$challenge" || exit 1
		for folder in "examples/$challenge/submissions"/*/; do
			zip_folder "$folder" "$work/zips/$challenge-$(basename "$folder").zip" ||
				exit 1
		done
	done
	head -c 3000 "$work/zips/car-rental-correct.zip" >"$work/zips/broken.zip"
}

# A worker judges as many at the same time as there are processors for it. Port 9 is where nobody
# listens.
write_config() {
	local slots=$(($(nproc) / 2))
	cat >"$work/runner.json" <<-JSON
		{
			"slots": $((slots > 0 ? slots : 1)),
			"challenges": "challenges",
			"store": "$store",
			"redis": { "url": "unix://$work/redis/socket" },
			"ledger": { "url": "$ledger" },
			"queue": { "intake": ["submissions"] },
			"fetch": { "hosts": ["127.0.0.1:$port", "127.0.0.1:9"], "networks": ["127.0.0.0/8"] },
			"log": { "format": "json" }
		}
	JSON
	export SANDBOX_RUNNER_CONFIG=$work/runner.json
}

start_worker() { # NAME
	setsid "$runner" run --name "$1" --listen "unix:$work/$1.sock" </dev/null \
		>"$work/$1.log" 2>&1 &
	workers+=($!)
}

start_page() {
	say "starting the contest page"
	command -v npm >/dev/null || die "the contest page needs npm"
	cp -r examples/contest-page "$work/page"
	(cd "$work/page" && npm ci --no-audit --no-fund >"$work/npm.log" 2>&1) ||
		die "npm: $(tail -3 "$work/npm.log")"
	REDIS_URL=unix://$work/redis/socket CONTEST=autumn TITLE='Autumn contest' \
		CHALLENGES=car-rental,todo PORT=0 \
		setsid "$node" "$work/page/server.mjs" </dev/null >"$work/page.log" 2>&1 &
	page=$!
	until_true grep -q '^http' "$work/page.log" ||
		die "the page does not start: $(tail -3 "$work/page.log")"
}

say "starting Redis, Postgres and a file server in $work"
start_redis
start_postgres
start_files
make_zips
write_config
"$runner" admin migrate >/dev/null || die "the ledger's tables cannot be made"
"$runner" admin contest set autumn --rules icpc --starts "$(date -u -d '-3 hours' +%FT%TZ)" \
	--ends "$(date -u -d '+3 hours' +%FT%TZ)" >/dev/null || die "the contest cannot be made"
[ -z "$keep" ] || start_page
say "starting two workers"
start_worker worker-1
start_worker worker-2
serving() { [ "$(redis_cli zcard 'sbx:{q}:workers')" = 2 ]; }
until_true serving || die "the workers do not start: $(tail -3 "$work"/worker-*.log)"

look() {
	cat <<-END
		Look at it from another terminal, with  export SANDBOX_RUNNER_CONFIG=$work/runner.json
		  $runner top
		  $runner admin status        (and: workers, dead ls, job ID, rank show autumn)
		  curl --unix-socket $work/worker-1.sock http://runner/metrics
	END
	[ -z "$page" ] || printf '  %s  the contest page; students are s01, s02 ...\n' \
		"$(cat "$work/page.log")"
}
[ -z "$keep" ] || look

# ------------------------------------------------------------------ contest
"$node" examples/fleet/contest.mjs "$runner" "$work/redis/socket" "http://127.0.0.1:$port" \
	"$submissions" "$students" "$rate" "$work/plan.json" &
show=$!
wait $show
status=$?
show=
[ $status = 0 ] || exit $status

# ------------------------------------------------------------------ summary
# What was superseded has its event before its row in the ledger.
recorded() {
	[ "$("$runner" admin status --json |
			"$node" -p 'JSON.parse(fs.readFileSync(0)).unrecorded')" = 0 ]
}
until_true recorded || die "the ledger does not get what was superseded"
redis_cli --json xrange 'sbx:{q}:results' - + >"$work/events.json" &&
	sql "SELECT submission || ' ' || verdict FROM sandbox.result" >"$work/rows" &&
	"$runner" admin rank show autumn --json >"$work/board.json" &&
	"$runner" admin rank show autumn --from-ledger --json >"$work/computed.json" ||
	die "the results cannot be read"
"$node" examples/fleet/summary.mjs "$work"/{plan.json,events.json,rows,board.json,computed.json}
status=$?

if [ -n "$keep" ]; then
	printf '\n'
	look
	printf 'Ctrl-C ends all and leaves nothing.\n'
	while :; do sleep 3600 & wait $!; done
fi
exit $status
