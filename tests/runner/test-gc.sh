#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-runner admin gc: what goes, what stays since somebody holds it, and that --dry-run changes
# nothing.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || {
	echo "1..0 # SKIP needs root"
	exit 0
}
unset "${!SANDBOX_RUNNER_@}"
runner=$build/runner/fleet/sandbox-runner
redis_start && postgres_start || exit 1
holder=
trap '[ -z "$holder" ] || kill "$holder"; servers_stop; rm -rf "$scratch"' EXIT
mkdir -p "$scratch/devforces"
cat >"$scratch/config.json" <<JSON
{
	"redis": { "url": "$redis_url" },
	"store": "store",
	"database": { "provider": "server", "url": "$postgres_url" },
	"compat": { "devforces": "publish", "database_url": "$postgres_url", "folder": "devforces" }
}
JSON
gc() { "$runner" admin gc "$@" --config "$scratch/config.json" 2>"$scratch/stderr"; }
# of what gc --json says: PLACE.WHAT=N, those of which there is something
found() {
	gc --json "$@" | "$node" -e '
		const { items } = JSON.parse(require("fs").readFileSync(0));
		console.log(items.filter((i) => i.n > 0)
			.map((i) => i.place + "." + i.what + "=" + i.n).join(" "));'
}
q='sbx:{q}'

check "a queue where all is well" gc queue
like "has nothing" 'nothing to be removed' "$(gc queue)"

# --------------------------------------------------------------------- queue
for i in 1 2 3; do
	redis xadd "$q:results" "$i-0" id "old$i" >/dev/null
done
redis xadd "$q:dead" 1-0 kind payload reason r payload p >/dev/null
hand_in() { # ID STUDENT
	"$runner" submit file:///x.zip --challenge c --student "$2" --id "$1" --no-follow \
		--config "$scratch/config.json" >/dev/null 2>&1
}
hand_in a ada
hand_in b bob
hand_in c cyd
hand_in d dan
redis del "$q:job:a" >/dev/null             # somebody's hand: a place, and a count, of nothing
redis del "$q:u:2/bob" >/dev/null           # an eviction: waits, and would for ever
redis hset "$q:running" cyd 1 >/dev/null    # would never run anything again
redis zadd "$q:unheard" 5 nobody >/dev/null
redis zadd "$q:leases" 99999999999999 ghost >/dev/null
expected='queue.results=3 queue.dead=1 queue.strays=3 queue.lost=1 queue.students=3 queue.unheard=1'
keys() {
	local key
	redis --raw keys '*' | sort | while read -r key; do
		echo "$key $(redis dump "$key" | sha256sum)"
	done
}
before=$(keys)
equal "what there is in the queue" "$expected" "$(found queue --dry-run)"
equal "--dry-run changes no key" "$before" "$(keys)"
like "it is said to people" '3 old events in the stream' "$(gc queue --dry-run)"
like "and that nothing was changed" 'nothing was changed' "$(gc queue --dry-run)"
equal "what is younger stays" "" \
	"$(found queue --dry-run --older-than 999999d | grep -o 'results=.')"
equal "it is removed" "$expected" "$(found queue)"
equal "and then nothing is left" "" "$(found queue)"
like "what was lost has a dead letter" ' a  its record in Redis is gone' \
	"$("$runner" admin dead ls --config "$scratch/config.json")"
equal "what is young is still there" "1 1" "$(redis xlen "$q:log:b") $(redis exists "$q:job:d")"
equal "bob's waits for its turn again" "b" "$(redis zrange "$q:u:2/bob" 0 -1)"
equal "nothing is said to run" "0" "$(redis hlen "$q:running")"
equal "and to wait only what does" "bob 1 cyd 1 dan 1" \
	"$(redis hgetall "$q:waits" | xargs -n 2 | sort | xargs)"
equal "the places that are none are gone" "" \
	"$(redis zrange "$q:leases" 0 -1)$(redis zscore "$q:queued" a)"

# ----------------------------------------------------------------- databases
dead=sbx_00000000000000aa_0123456789abcdef living=sbx_00000000000000bb_0123456789abcdef
for name in $dead $living; do
	sql "CREATE ROLE $name" && sql "CREATE DATABASE $name"
done
mkfifo "$scratch/hold"
psql -X -q "$postgres_url" <"$scratch/hold" >/dev/null 2>&1 &
exec 9>"$scratch/hold"
echo 'SELECT pg_advisory_lock(187);' >&9 # 0xbb: the keeper of `living` would have it
until_true 200 eval \
	'[ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = '"'advisory'"'")" = 1 ]'
databases() { sql "SELECT datname FROM pg_database WHERE datname ~ '^sbx_' ORDER BY 1" | xargs; }
equal "a database of a dead worker" databases.databases=1 "$(found databases --dry-run)"
like "is named" "$dead" "$(gc databases --dry-run)"
equal "--dry-run drops nothing" "$dead $living" "$(databases)"
equal "it is dropped" databases.databases=1 "$(found databases)"
equal "the one of a living worker is not" "$living" "$(databases)"
equal "with its role" "$living" \
	"$(sql "SELECT rolname FROM pg_roles WHERE rolname ~ '^sbx_'" | xargs)"
exec 9>&-

# --------------------------------------------------------------------- store
mkdir -p -m 700 "$scratch/store"
mkdir -p "$scratch/store/deps/old" "$scratch/store/deps/used" "$scratch/store/tmp/deps-x.1" \
	"$scratch/store/locks"
echo packages >"$scratch/store/deps/old/file"
flock "$scratch/store/locks/deps-used" cat <"$scratch/hold" &
holder=$!
exec 9>"$scratch/hold"
held() { ! flock -n "$scratch/store/locks/deps-used" true; }
until_true 200 held
equal "packages that nobody uses, and what nobody finishes" "store.unfinished=1 store.entries=1" \
	"$(found store --dry-run)"
equal "--dry-run leaves them" "file" "$(ls "$scratch/store/deps/old")"
equal "and also what was not finished" deps-x.1 "$(ls "$scratch/store/tmp")"
equal "they are removed" "store.unfinished=1 store.entries=1" "$(found store)"
equal "but what is in use" used \
	"$(ls "$scratch/store/deps" "$scratch/store/tmp" | grep -v : | xargs)"
exec 9>&-
wait "$holder"
holder=

# ---------------------------------------------------------------------- host
mkdir -p "$scratch/devforces/aa" "$scratch/devforces/bb" "$scratch/xdg/sandbox/owners"
touch -d '40 days ago' "$scratch/devforces/aa"
: >"$scratch/xdg/sandbox/owners/0123456789abcdef"
like "an owner that died is found, by its lock" 'host.owners=[1-9]' \
	"$(XDG_RUNTIME_DIR=$scratch/xdg found host --dry-run)"
like "DevForces' challenges that no submission has used" 'host.challenges=1' \
	"$(found host --dry-run)"
"$run" exec -- sleep 1000 >/dev/null 2>&1 &
victim=$!
owner() { readlink /proc/$victim/fd/* | grep -m1 '/owners/'; }
until_true 400 owner
file=$(owner)
gc host >/dev/null
check "what lives is left alone" test -e "$file"
kill -KILL $victim
wait $victim 2>/dev/null
check "gc of the host" gc host
check "what died is not, whoever met it first" test ! -e "$file"
equal "challenges: the young one stays" bb "$(ls "$scratch/devforces")"

# ----------------------------------------------------------------- the words
gc quue
equal "a part that is none: exit code" 2 $?
like "a part that is none" 'did you mean queue' "$(cat "$scratch/stderr")"
gc --older-than 3
equal "a time without its unit: exit code" 2 $?
sed -i '/"provider"/d' "$scratch/config.json"
gc databases
equal "databases without a server: exit code" 2 $?
redis_stop
gc queue
equal "Redis away: exit code" 4 $?
finish
