#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-runner run while what it depends on is there and refuses: disks that are full, a Redis
# that cannot save, has become a replica or still loads, a ledger that was restored from an older
# backup.
# alone: what is left on the host is counted
. "$(dirname "$0")/worker.sh"

challenge_notes || exit 1
worker_config <<JSON || exit 1
{
	"name": "w1", "slots": 1, "challenges": "challenges", "store": "$store",
	"redis": { "url": "$redis_url", "timeout": "1s" },
	"ledger": { "url": "$postgres_url" },
	"queue": { "lease": "3s", "student_running": 4, "student_waiting": 100 },
	"fetch": { "file_root": "archives", "timeout": "1s" },
	"listen": "unix:$scratch/listen",
	"log": { "level": "debug", "format": "json" }
}
JSON
trap 'stop_all; servers_stop; umount -l "$scratch"/small* 2>/dev/null; rm -rf "$scratch"' EXIT

# ------------------------------------------------------------------- helpers
admin() { "$runner" admin "$@" --config "$config"; }

submit() { # ID ARCHIVE
	"$runner" submit "$scratch/archives/$2" --id "$1" --student ann --contest cup \
		--challenge notes --no-follow --quiet --config "$config" 2>&1
}

rows() {
	sql "SELECT judge_rev, verdict FROM sandbox.result WHERE submission = '$1' ORDER BY 1" |
		xargs
}

events() { redis --raw xrange 'sbx:{q}:results' - + | grep -cx "$1"; }
solved() { redis hget 'sbx:{q}:row:cup/ann' solved; }
ready() { curl -s --unix-socket "$scratch/listen" http://localhost/readyz; }
not_ready() { ready | grep -q "^\[-\] $1: .*$2"; }
is_ready() { ready | grep -q '^\[+\] redis' && ! ready | grep -q '^\[-\] \(redis\|ledger\)'; }

# held ID: it is claimed, and its judge stands still until go_on.
held() {
	await "there is a judge" has_judge
	stopped=$(judge)
	kill -STOP "$stopped"
	submit "$1" good.zip >/dev/null
	await "$1 is claimed" is_in_state "$1" running
}

go_on() { kill -CONT "$stopped"; }

# Redis answers, and takes nothing.
refused() { # ID WHY
	await "$1: /readyz tells" not_ready redis "$2"
	like "$1: a producer is told" "$2" "$(submit "more-$1" good.zip)"
}

accepted() { # ID
	await "$1: it is committed when that is over" is_in_state "$1" done
	equal "$1: its first attempt, once, and ranked" "AC 1 1|AC 1 1" \
		"$(field "$1" verdict) $(field "$1" att) $(rows "$1") $(events "$1") $(solved)"
	await "$1: the worker is ready again" is_ready
}

check "there is a contest" admin contest set cup --rules icpc --starts 2020-01-01T00:00:00Z \
	--ends 2040-01-01T00:00:00Z
worker_start

# ------------------------------------------------------ the ledger's disk is full
mkdir "$scratch/small"
mount -t tmpfs -o size=2m,mode=700,uid=65534,gid=65534 tmpfs "$scratch/small"
sql "CREATE TABLESPACE small LOCATION '$scratch/small'"
sql "ALTER TABLE sandbox.result SET TABLESPACE small"
held ledger
dd if=/dev/zero of="$scratch/small/full" bs=4k >/dev/null 2>&1
go_on
await "/readyz tells why nothing is recorded" not_ready ledger 'No space left'
equal "the result is held" "running 0" \
	"$(state ledger) $(sql 'SELECT count(*) FROM sandbox.result')"
rm "$scratch/small/full"
accepted ledger

# ------------------------------------------------------------- Redis cannot save
held misconf
mkdir "$scratch/redis/dump.rdb" # in the way of the file
redis config set save '3600 1000000' >/dev/null
redis bgsave >/dev/null
save_failed() { redis info persistence | grep -q 'rdb_last_bgsave_status:err'; }
await "its snapshot fails" save_failed
go_on
refused misconf 'cannot write to its disk'
equal "the result is held" running "$(state misconf)"
rmdir "$scratch/redis/dump.rdb"
redis config set save '' >/dev/null
accepted misconf

# --------------------------------------------------- Redis has become a replica
held replica
redis replicaof 127.0.0.1 1 >/dev/null
go_on
refused replica 'is a replica'
equal "the result is held" running "$(state replica)"
redis replicaof no one >/dev/null
accepted replica

# --------------------------------------------------------- Redis reads its data
held loading
redis eval "for i = 1, 20000 do redis.call('SET', 'x' .. i, '') end" 0 >/dev/null
redis bgrewriteaof >/dev/null
rewritten() { redis info persistence | grep -q 'aof_rewrite_in_progress:0'; }
await "what it appended is written anew" rewritten
redis_stop
redis_launch redis --key-load-delay 1000 --loading-process-events-interval-bytes 1024
go_on
refused loading 'reading its data'
redis config set key-load-delay 0 >/dev/null
accepted loading

# ------------------------------------- the ledger comes back from an older backup
judged_again() { [ "$(field "$1" rev) $(state "$1")" = "2 done" ]; }
before_backup='ledger misconf replica loading'
more='more-misconf more-replica more-loading' # which nobody took
equal "nothing was taken that was refused" "" "$(for id in $more; do state "$id"; done)"
sql "DELETE FROM sandbox.result"
submit loading wrong.zip >/dev/null
equal "an id that Redis knows is not judged again" "done AC 1" \
	"$(state loading) $(field loading verdict) $(solved)"
check "they can be judged again, all of them" admin rejudge --contest cup
for id in $before_backup; do
	await "$id is judged again" judged_again "$id"
done
equal "now they are in the ledger" "4|2|2" \
	"$(sql 'SELECT count(*), min(judge_rev), max(judge_rev) FROM sandbox.result')"
row=$(redis hgetall 'sbx:{q}:row:cup/ann' | paste - - | sort)
check "and the leaderboard can be made of it" admin rank rebuild cup
equal "as it was" "$row" "$(redis hgetall 'sbx:{q}:row:cup/ann' | paste - - | sort)"
worker_stop TERM
umount -l "$scratch/small" # Postgres is in there

# ----------------------------------------------------- the store's disk is full
mkdir "$scratch/small-store"
mount -t tmpfs -o size=3m,mode=700 tmpfs "$scratch/small-store"
ln -s "$store/runtime" "$scratch/small-store/runtime"
grade "$cars/submissions/correct" "$cars/challenge" --store "$scratch/small-store"
equal "a full store is not the submission's fault" "IE 4" "$(member .verdict) $status"
like "and is named" 'No space left on device' "$(member .reason)"
umount "$scratch/small-store"

nothing_left "$before"
finish
