#!/bin/bash
# SPDX-License-Identifier: MIT
# Leaderboards: the examples of docs/ranking.md through queue and ledger as the worker uses them,
# random contests against two other ways to compute them, and made again from the ledger.
. "$(dirname "$0")/lib.sh"

scripts=$source_dir/runner/fleet/queue/scripts
here=$source_dir/tests/runner
start=1700000000000
minute=60000

rank() { # COMMAND...: words separated by spaces
	printf '%s\n' "$@" | tr ' ' '\t' | "$build/tests/runner/rank-driver" "$redis_url" \
		"$postgres_url" 2>&1
}

judge() { # ID STUDENT CHALLENGE MINUTE VERDICT [POINTS [CONTEST]]
	echo "judge $1 $2 ${7:-cup} $3 $((start + $4 * minute)) $5 ${6:-0}"
}

same() { # NAME EXPECTED CONTEST: in Redis and in the ledger
	equal "$1" "$2"$'\n'"$2" "$(rank "show $3" "standings $3")"
}

last() { # MINUTE
	echo $((start + $1 * minute))
}

postgres_start && redis_start || { fail "the servers start" && finish && exit; }

# The worked examples

rank migrate "contest cup icpc $start $((start + 300 * minute)) 1200" \
	"contest pts points $start $((start + 300 * minute)) 60" >/dev/null
rank "$(judge a1 ann p 5 WA)" "$(judge a2 ann p 12 PARTIAL)" >/dev/null
same "icpc: failures alone cost nothing" "1:ann:0:0:0:0 (1)" cup
rank "$(judge a3 ann p 30 AC 1000)" >/dev/null
same "the first accept: its minute, and 20 for each failure" "1:ann:1:1000:4200:$(last 30) (1)" cup
rank "$(judge a4 ann p 90 AC 1000)" "$(judge a5 ann p 100 WA)" "$(judge a6 ann p 101 CE)" \
	"$(judge a7 ann p 2 IE)" "$(judge a8 ann p 2 CANCELLED)" "$(judge a9 ann q -1 AC 1000)" \
	"$(judge a10 ann q 300 AC 1000)" "$(judge a11 ann q 40 CE)" >/dev/null
same "what comes later, judges nothing, or is outside the contest changes nothing" \
	"1:ann:1:1000:4200:$(last 30) (1)" cup
rank "$(judge b1 bob p 10 AC 1000)" "$(judge b2 bob q 50 AC 1000)" "$(judge c1 cid p 30 AC 1000)" \
	"$(judge c2 cid q 30 AC 1000)" "$(judge d1 dan p 30 AC 1000)" \
	"$(judge d2 dan q 30 AC 1000)" \
	"$(judge e1 eve p 299 AC 1000)" "$(judge f1 fay p 0 WA)" "$(judge g1 gus p 1 CE)" >/dev/null
cup="1:cid:2:2000:3600:$(last 30) 1:dan:2:2000:3600:$(last 30) 3:bob:2:2000:3600:$(last 50)"
cup+=" 4:ann:1:1000:4200:$(last 30) 5:eve:1:1000:17940:$(last 299) 6:fay:0:0:0:0 (6)"
same "more solved, then less penalty, then the earlier last accept; equals share a rank" "$cup" cup
cell() { # MINUTE PENALTY
	echo "{\"solved\":true,\"points\":1000,\"attempts\":1,\"fails\":0,\"at_ms\":$(
		last "$1"),\"penalty_s\":$2}"
}
equal "what Redis keeps of a student" "attempts 2
c:p $(cell 10 600)
c:q $(cell 50 3000)
last_ms $(last 50)
penalty_s 3600
points 2000
rules icpc
score $((2 * 2**43 + (2**23 - 1 - 60) * 2**20 + 2**20 - 1 - 50))
solved 2" "$(redis hgetall 'sbx:{q}:row:cup/bob' | paste -d' ' - - | sort)"

# Judged again

rank "rejudge d1 WA 0" "rejudge a1 AC 1000" "rejudge b1 IE 0" "rejudge g1 WA 0" >/dev/null
cup="1:cid:2:2000:3600:$(last 30) 2:bob:2:2000:3600:$(last 50) 3:ann:1:1000:300:$(last 5)"
cup+=" 4:dan:1:1000:1800:$(last 30) 5:eve:1:1000:17940:$(last 299) 6:fay:0:0:0:0 6:gus:0:0:0:0 (7)"
same "judged again: as if it had been so from the beginning; an IE takes nothing away" "$cup" cup
rank "rejudge d1 AC 1000" "rejudge f1 CE 0" "rejudge g1 CE 0" >/dev/null
cup="1:cid:2:2000:3600:$(last 30) 1:dan:2:2000:3600:$(last 30) 3:bob:2:2000:3600:$(last 50)"
cup+=" 4:ann:1:1000:300:$(last 5) 5:eve:1:1000:17940:$(last 299) (5)"
same "and once more; who has only CE left is not listed" "$cup" cup

# Points

rank "$(judge p1 ann x 1 PARTIAL 400 pts)" "$(judge p2 ann x 2 PARTIAL 700 pts)" \
	"$(judge p3 ann x 4 WA 0 pts)" \
	"$(judge p4 ann x 5 PARTIAL 700 pts)" "$(judge p5 ann y 3 AC 1000 pts)" \
	"$(judge p6 bob x 9 PARTIAL 700 pts)" \
	"$(judge p7 bob y 8 AC 1000 pts)" "$(judge p8 cid x 1 WA 0 pts)" \
	"$(judge p9 cid y 1 CE 0 pts)" >/dev/null
same "points: the best of each, and when it was first reached, a minute for each attempt before" \
	"1:ann:1:1700:360:$(last 3) 2:bob:1:1700:1020:$(last 9) 3:cid:0:0:0:0 (3)" pts

rank "contest trace points $start $((start + 300 * minute)) 1200" \
	"$(judge t1 ann p 5 PARTIAL 4000 trace)" \
	"$(judge t2 ann p 12 PARTIAL 4000 trace)" "$(judge t3 ann p 30 AC 10000 trace)" \
	"$(judge t4 ann p 90 AC 10000 trace)" "$(judge t5 ann p 100 PARTIAL 4000 trace)" >/dev/null
same "the example of the documentation" "1:ann:1:10000:4200:$(last 30) (1)" trace
rank "rejudge t1 CE 0" >/dev/null
same "whose first attempt does not build any more" "1:ann:1:10000:3000:$(last 30) (1)" trace
rank "rejudge t1 IE 0" "rejudge t1 AC 10000" >/dev/null
same "and is accepted at last" "1:ann:1:10000:300:$(last 5) (1)" trace

# Made again

everything() {
	redis eval "local out = {}
		for _, kind in ipairs({'row:', 'lb:', 'who:', 'contest:'}) do
			for _, key in ipairs(redis.call('KEYS', 'sbx:{q}:' .. kind .. '*')) do
				local type = redis.call('TYPE', key).ok
				local v
				if type == 'hash' then
					local all = redis.call('HGETALL', key)
					v = {}
					for i = 1, #all, 2 do
						v[#v + 1] = all[i] .. '=' .. all[i + 1]
					end
				elseif type == 'set' then
					v = redis.call('SMEMBERS', key)
				else
					v = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
				end
				if type ~= 'zset' then table.sort(v) end
				out[#out + 1] = key .. ' ' .. table.concat(v, ' ')
			end
		end
		table.sort(out)
		return out" 0
}
forget() {
	redis eval "for _, kind in ipairs({'row:', 'lb:', 'who:', 'contest:', 'att:'}) do
			for _, key in ipairs(redis.call('KEYS', 'sbx:{q}:' .. kind .. '*')) do
				redis.call('DEL', key)
			end
		end" 0 >/dev/null
}
before=$(everything)
like "there is something to be lost" 'row:cup/ann.*row:pts/bob' "$before"
forget
equal "all of it is made again from the ledger" "rebuilt 7
rebuilt 3
rebuilt 1
$before" "$(rank 'rebuild cup' 'rebuild pts' 'rebuild trace')
$(everything)"
equal "again, nothing changes" "rebuilt 7
$before" "$(rank 'rebuild cup')
$(everything)"
now=$(redis time | head -1)
redis hset 'sbx:{q}:att:cup/zoe' z1 "1 $(last 9) AC 1000 p ${now}000" >/dev/null
redis hset 'sbx:{q}:att:cup/cid' z2 "1 $(last 9) AC 1000 r ${now}000" z3 broken >/dev/null
redis sadd 'sbx:{q}:who:cup' zoe aaa >/dev/null
redis zadd 'sbx:{q}:lb:cup' 99 zoe 98 aaa >/dev/null
equal "what the ledger does not know goes" "rebuilt 7
$before" "$(rank 'rebuild cup')
$(everything)"
redis hset 'sbx:{q}:att:cup/zoe' z1 "1 $(last 9) AC 1000 p $((now + 3600))000" >/dev/null
redis sadd 'sbx:{q}:who:cup' zoe >/dev/null
equal "but what was committed since the ledger was read stays" \
	"5:zoe:1:1000:540:$(last 9)" \
	"$(rank 'rebuild cup' 'show cup' | grep -o '[0-9]*:zoe:[0-9:]*')"
redis del 'sbx:{q}:att:cup/zoe' >/dev/null
rank 'rebuild cup' >/dev/null
equal "nor did this leave anything" "$before" "$(everything)"

# A contest that is changed

rank "contest cup icpc $start $((start + 40 * minute)) 60" 'rebuild cup' >/dev/null
same "a contest that is shortened, and rebuilt" \
	"1:cid:2:2000:3600:$(last 30) 1:dan:2:2000:3600:$(last 30)\
 3:ann:1:1000:300:$(last 5) 4:bob:1:1000:600:$(last 10) (4)" cup
redis --eval <(cat "$scripts/common.lua" "$scripts/rank.lua" - <<'EOF'
rank_recompute({ id = 'cup', rules = 'points', starts = '0', ends = '5', penalty = '1', version = '1' },
	{ id = 'a1', student = 'ann', challenge = 'p', rev = '1', submitted = '1', verdict = 'WA', points = '0' })
EOF
) 'sbx:{q}:' >/dev/null
equal "a worker that has an older contest, and an older judgement, changes nothing" \
	"3:ann:1:1000:300:$(last 5)" "$(rank 'show cup' | grep -o '[0-9]*:ann:[0-9:]*')"
rank 'contest pts none 0 0 0' >/dev/null
equal "a contest that is removed" "rebuilt 0
(0)
(0)
0" "$(rank 'rebuild pts' 'show pts' 'standings pts')
$(redis eval "return #redis.call('KEYS', 'sbx:{q}:*pts*')" 0)"

# While it is in use

rank "contest busy icpc $start $((start + 90 * minute)) 1200" >/dev/null
for seed in 1 2; do
	rank "many 12 busy 4 400 $seed" >"$scratch/many$seed" &
	judging[seed]=$!
done
rebuilds=0
while kill -0 "${judging[1]}" 2>/dev/null; do
	[ $rebuilds != 3 ] || forget
	rank 'rebuild busy' | grep -v '^rebuilt'
	rebuilds=$((rebuilds + 1))
done >"$scratch/not-rebuilt"
wait "${judging[@]}"
equal "two who judge" $'judged 400\njudged 400' "$(cat "$scratch"/many?)"
check "meanwhile it was rebuilt many times, and all was lost once" \
	[ $rebuilds -gt 4 -a ! -s "$scratch/not-rebuilt" ]
same "in the end it is what the ledger says" "$(rank 'standings busy')" busy
like "which is not nothing" '^1:s[0-9]*:[1-4]:.*\(12\)$' "$(rank 'show busy')"

# Scores, and random contests

equal "a million pairs of rows are ordered by their scores as by their keys" "1047952" \
	"$(redis --eval <(cat "$scripts/common.lua" "$scripts/rank.lua" "$here/rank-packing.lua") \
		'{q}' , 1000000)"
printf 'migrate\n' | "$build/tests/runner/ledger-driver" "$postgres_url" '' >/dev/null
sql 'TRUNCATE sandbox.result, sandbox.contest'
redis flushall >/dev/null
equal "random contests: Redis, the ledger and a third way agree" \
	"1000 contests, many lines, 0 wrong" \
	"$(python3 "$here/rank-model.py" "$redis_socket" "$scripts" "$postgres_url" \
		"${RANK_SEED:-1}" 1000 2>&1)"

finish
