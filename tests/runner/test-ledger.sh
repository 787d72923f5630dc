#!/bin/bash
# SPDX-License-Identifier: MIT
# The ledger on a private Postgres: every result once, whatever comes between.
. "$(dirname "$0")/lib.sh"

driver=$build/tests/runner/ledger-driver
result='{"schema":"sandbox-result/1","verdict":"AC"}'

# ledger URL SCHEMA COMMAND...: the words of a command are separated by spaces here.
ledger() {
	local url=$1 schema=$2
	shift 2
	printf '%s\n' "$@" | tr ' ' '\t' | "$driver" "$url" "$schema" 2>&1
}

insert() { # ID REV STUDENT CONTEST CHALLENGE SUBMITTED VERDICT POINTS WORKER [JSON]
	echo "insert $1 $2 $3 $4 $5 $6 $7 $8 $9 ${10:-$result}"
}

# A driver that stays: `ask COMMAND` sets `answer`.
connect() { # URL SCHEMA
	coproc talk { exec "$driver" "$1" "$2" 2>&1; }
	talk_pid=$!
}

ask() {
	tr ' ' '\t' <<<"$1" >&"${talk[1]}"
	read -r -t 60 -u "${talk[0]}" answer
}

# Asks until Postgres is back; `refusals` are the answers before.
ask_until_done() {
	refusals=
	for _ in {1..100}; do
		ask "$1"
		[[ $answer == error\ EAGAIN* ]] || return 0
		refusals+="$answer"$'\n'
		sleep 0.05
	done
}

postgres_start || { fail "Postgres starts" && finish && exit; }
url=$postgres_url

# Migrations

like "a ledger that is not there is refused" '^error EPROTO sandbox: .*admin migrate' \
	"$(ledger "$url" '' check)"
steps=$(find "$source_dir/runner/fleet/ledger/migrations" -name '*.sql' | wc -l)
for _ in {1..6}; do
	ledger "$url" '' migrate >>"$scratch/migrated" &
	migrating[${#migrating[@]}]=$!
done
wait "${migrating[@]}"
equal "six at once make each step once" "6 $steps" \
	"$(awk '$1 == "migrated" { n++; sum += $2 } END { print n, sum }' "$scratch/migrated")" \
	"$(cat "$scratch/migrated")"
equal "again, there is nothing to do" $'migrated 0\nfine' "$(ledger "$url" '' migrate check)"
ledger "$url" older migrate >/dev/null
sql "DELETE FROM older.migration WHERE version = $steps" >/dev/null
like "an older schema is refused" '^error EPROTO older: .*admin migrate' \
	"$(ledger "$url" older check)"
sql "INSERT INTO older.migration VALUES ($((steps + 1)), 'tomorrow')"
like "so is a newer one" "^error EPROTO older: .*version $((steps + 1)).*
error EPROTO older: .*too old" "$(ledger "$url" older check migrate)"

# Results

equal "a result is recorded once" \
	"inserted s1/1 bob cup ch1 #1 @1700000000123 AC 1/2 700/1000000000000 - - w1 44 dated
stands s1/1 bob cup ch1 #1 @1700000000123 AC 1/2 700/1000000000000 - - w1 44 dated
inserted s1/2 bob cup ch1 #1 @1700000000123 WA 1/2 0/1000000000000 - - w2 44 dated
found s1/1 bob cup ch1 #1 @1700000000123 AC 1/2 700/1000000000000 - - w1 44 dated
none" "$(ledger "$url" '' "$(insert s1 1 bob cup ch1 1700000000123 AC 700 w1)" \
	"$(insert s1 1 bob cup ch1 1700000000123 WA 0 w2)" \
	"$(insert s1 2 bob cup ch1 1700000000123 WA 0 w2)" 'find s1 1' 'find s1 3')"
equal "times are exact, from 1970 to 9999" '0 253402300799999 1' "$(
	ledger "$url" '' "$(insert early 1 bob '' ch1 0 AC 0 w)" \
		"$(insert late 1 bob '' ch1 253402300799999 AC 0 w)" | grep -o '@[0-9]*' | tr -d @ |
		paste -sd' '
) $(sql "SELECT count(*) FROM sandbox.result WHERE submission = 'late'
	AND submitted_at = '9999-12-31 23:59:59.999+00' AND contest IS NULL")"

# Two who judge the same: the second is too late while the first is not yet committed
sql "BEGIN; INSERT INTO sandbox.result SELECT 'race', judge_rev, student, contest, challenge,
		attempt, submitted_at, judged_at, verdict, passed, total, points, max_points,
		archive_sha256, tests_sha256, 'first', stages, usage, result
	FROM sandbox.result WHERE submission = 's1' AND judge_rev = 1;
	DO \$\$BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks
			WHERE NOT granted AND locktype = 'transactionid')
		LOOP PERFORM pg_sleep(0.02); END LOOP; END\$\$; COMMIT" >/dev/null &
first=$!
until_true 100 sh -c "psql -XqAt '$url' -c \"SELECT 1 / count(*) FROM pg_locks
	WHERE relation = 'sandbox.result'::regclass AND mode = 'RowExclusiveLock'\""
like "what is being inserted is waited for, and stands" '^stands race/1 .* first 44 ' \
	"$(ledger "$url" '' "$(insert race 1 bob cup ch1 5 WA 0 second)")"
wait $first
for worker in one two three; do
	for i in $(shuf -i 1-300 --random-source=<(yes $worker)); do
		insert "both$i" 1 bob cup ch1 5 AC 0 $worker
	done | tr ' ' '\t' | "$driver" "$url" '' >"$scratch/$worker" &
	racing[${#racing[@]}]=$!
done
wait "${racing[@]}"
equal "three who insert the same 300: each is inserted once" "300 600" \
	"$(cat "$scratch"/{one,two,three} |
	awk '$1 == "inserted" { i++ } $1 == "stands" { s++ } END { print i, s }')"
equal "and all of them are told the same" 300 "$(
	cat "$scratch"/{one,two,three} | sed 's/^[a-z]* //' | sort | uniq -c | awk '$1 == 3' |
		wc -l)"

# Postgres goes and comes

connect "$url" ''
ask check
equal "a connection works" fine "$answer"
postgres_stop
ask "$(insert gone 1 bob cup ch1 5 AC 0 w)"
like "without Postgres: ask again" '^error EAGAIN' "$answer"
ask 'find gone 1'
like "and again" '^error EAGAIN : cannot connect to Postgres' "$answer"
postgres_start
ask_until_done "$(insert gone 1 bob cup ch1 5 AC 0 w)"
like "the same connection works when it is back" '^inserted gone/1' "$answer"
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE application_name = 'sandbox-runner'" \
	>/dev/null
ask_until_done 'find gone 1'
like "a connection that the server ends is made again" '^found gone/1 .*' "$answer"
exec {talk[1]}>&-
wait $talk_pid

rows() { # AT-LEAST: of those that the writer inserts
	[ "$(sql "SELECT count(*) >= $1 FROM sandbox.result WHERE submission LIKE 'many%'")" = t ]
}
ledger "$url" '' 'many many 2000' >"$scratch/many" &
writer=$!
for at in 50:QUIT 400:INT 800:QUIT; do
	until_true 400 rows "${at%:*}"
	postgres_stop postgres "${at#*:}"
	postgres_start
done
wait $writer
equal "Postgres crashes, restarts, crashes under a writer: everything is there, once" \
	"2000 done, some refused, none twice 2000" \
	"$(cat "$scratch/many") $(sql \
		"SELECT count(*) FROM sandbox.result WHERE submission LIKE 'many%'")"

# Waiting: nobody answers behind this socket, and a table is locked for ever. Both end by
# themselves, and are looked at when the rest is done.

mkdir "$scratch/mute"
python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
time.sleep(60)' "$scratch/mute/.s.PGSQL.5432" &
servers+=("mute:$!")
until_true 100 test -S "$scratch/mute/.s.PGSQL.5432"
ledger "postgresql://postgres@/postgres?host=$scratch/mute" '' check >"$scratch/mute.out" 2>&1 &
mute=$!
ledger "$url" locked migrate >/dev/null
sql 'BEGIN; LOCK TABLE locked.result; SELECT pg_sleep(60)' >/dev/null 2>&1 &
servers+=("lock:$!")
until_true 100 sh -c "psql -XqAt '$url' -c \"SELECT 1 / count(*) FROM pg_locks
	WHERE relation = 'locked.result'::regclass AND mode = 'AccessExclusiveLock'\""
ledger "$url" locked 'timeout 500' "$(insert s 1 bob c ch 5 AC 0 w)" >"$scratch/locked.out" 2>&1 &
locked=$!

# What Postgres may say

sql 'CREATE ROLE runner LOGIN; CREATE ROLE nologin; CREATE ROLE reader LOGIN'
sql 'CREATE DATABASE fleet'
as() { # ROLE DATABASE
	echo "postgresql://$1@/$2?host=$postgres_socket"
}
like "a role that must not log in" '^error EACCES 28000:' "$(ledger "$(as nologin fleet)" '' check)"
like "a database that is not there" '^error EACCES 3D000:' \
	"$(ledger "$(as runner nowhere)" '' check)"
like "a role that may make no schema" '^error EACCES 42501:' \
	"$(ledger "$(as runner fleet)" '' migrate)"
fleet() {
	sql "$1" -d "$(as postgres fleet)"
}
fleet 'CREATE SCHEMA sandbox AUTHORIZATION runner'
equal "a role that owns the schema needs nothing else" "migrated $steps
set
inserted a/1 bob cup ch #1 @5 AC 1/2 0/1000000000000 - - w 44 dated
1:bob:1:0:0:5 (1)" "$(ledger "$(as runner fleet)" '' migrate 'contest-set cup icpc 0 10 1200' \
	"$(insert a 1 bob cup ch 5 AC 0 w)" 'standings cup')"
fleet 'GRANT USAGE ON SCHEMA sandbox TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA sandbox TO reader'
equal "a platform needs USAGE and SELECT to read" 'fine
1:bob:1:0:0:5 (1)' "$(ledger "$(as reader fleet)" '' check 'standings cup')"
like "and cannot write then" '^error EACCES 42501:' \
	"$(ledger "$(as reader fleet)" '' "$(insert b 1 bob cup ch 5 AC 0 w)")"
fleet 'CREATE ROLE inserter LOGIN; GRANT USAGE ON SCHEMA sandbox TO inserter;
	GRANT SELECT ON ALL TABLES IN SCHEMA sandbox TO inserter;
	GRANT INSERT ON sandbox.result TO inserter;
	GRANT INSERT, UPDATE, DELETE ON sandbox.contest TO inserter'
equal "a runner that does not migrate needs INSERT as well" "fine
inserted c/1 bob other ch #1 @5 AC 1/2 0/1000000000000 - - w 44 dated
stands c/1 bob other ch #1 @5 AC 1/2 0/1000000000000 - - w 44 dated
set
set
1:bob:1:0:0:5 (1)
set" "$(ledger "$(as inserter fleet)" '' check "$(insert c 1 bob other ch 5 AC 0 w)" \
	"$(insert c 1 bob other ch 5 AC 0 w)" 'contest-set other points 0 10 1' \
	'contest-set other icpc 0 10 60' 'standings other' 'contest-set other none')"
sql 'ALTER ROLE runner CONNECTION LIMIT 0'
like "no connection is left: ask again" '^error EAGAIN 53300:' \
	"$(ledger "$(as runner fleet)" '' check)"
sql 'ALTER ROLE runner CONNECTION LIMIT -1;
	ALTER ROLE runner SET default_transaction_read_only = on'
like "a standby: ask again" '^error EAGAIN 25006:' \
	"$(ledger "$(as runner fleet)" '' "$(insert b 1 bob cup ch 5 AC 0 w)")"

# A role whose settings are odd, in a database where somebody put traps
sql "ALTER ROLE runner RESET ALL; ALTER ROLE runner SET search_path = trap, pg_catalog;
	ALTER ROLE runner SET default_transaction_isolation = 'serializable';
	ALTER ROLE runner SET synchronous_commit = off;
	ALTER ROLE runner SET timezone = 'Asia/Kathmandu';
	ALTER ROLE runner SET datestyle = 'SQL, DMY';
	ALTER ROLE runner SET intervalstyle = 'sql_standard';
	ALTER ROLE runner SET standard_conforming_strings = off;
	ALTER ROLE runner SET extra_float_digits = -15;
	ALTER ROLE runner SET log_statement = 'all'"
fleet "CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO runner;
	CREATE FUNCTION trap.yes(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
	CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.yes);
	CREATE FUNCTION trap.round(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';
	CREATE TABLE trap.result (submission text);
	CREATE FUNCTION trap.look() RETURNS trigger LANGUAGE plpgsql AS
		\$\$BEGIN NEW.worker := current_setting('synchronous_commit'); RETURN NEW; END\$\$;
	CREATE TRIGGER look BEFORE INSERT ON sandbox.result
	FOR EACH ROW EXECUTE FUNCTION trap.look()"
equal "settings and traps of the role and the database do nothing" "none
inserted trapped/1 bob cup ch #1 @1700000000123 AC 1/2 0/1000000000000 - - local 44 dated
found trapped/1 bob cup ch #1 @1700000000123 AC 1/2 0/1000000000000 - - local 44 dated
1:bob:1:0:0:5 (1)" "$(ledger "$(as runner fleet)" '' 'find nothing 1' \
	"$(insert trapped 1 bob cup ch 1700000000123 AC 0 w)" 'find trapped 1' 'standings cup')"
equal "no statement is named, or a setting for the session: a pooler may be in front" \
	"8 execute <unnamed>" \
	"$(grep -oE 'LOG:  (statement|execute [^:]*)' "$scratch/postgres.log" | sed 's/LOG:  //' |
		sort | uniq -c | xargs)"
equal "and no connection is left" "0" \
	"$(sql "SELECT count(*) FROM pg_stat_activity
		WHERE datname = 'fleet' AND pid <> pg_backend_pid()")"

# Hostile strings

refused() { # NAME COMMAND
	like "$1 is refused" '^error EINVAL' "$(printf '%s\n' "$2" | "$driver" "$url" '' 2>&1)"
}
t=$'\t'
refused "an id with a quote" "insert${t}a'b${t}1${t}bob$t${t}ch${t}5${t}AC${t}0${t}w${t}{}"
refused "a student with a space" "insert${t}ab${t}1${t}bob $t${t}ch${t}5${t}AC${t}0${t}w${t}{}"
refused "a contest with a slash" "insert${t}ab${t}1${t}bob${t}a/b${t}ch${t}5${t}AC${t}0${t}w${t}{}"
refused "a verdict with anything" "insert${t}ab${t}1${t}bob${t}a${t}ch${t}5${t}A C${t}0${t}w${t}{}"
refused "a result that is a list" "insert${t}ab${t}1${t}bob${t}a${t}ch${t}5${t}AC${t}0${t}w${t}[]"
refused "a result that is cut off" \
	"insert${t}ab${t}1${t}bob${t}a${t}ch${t}5${t}AC${t}0${t}w${t}{\"a\":"
refused "a result without a value" "insert${t}ab${t}1${t}bob${t}a${t}ch${t}5${t}AC${t}0${t}w${t}"
refused "a number that no jsonb holds" \
	"insert${t}ab${t}1${t}bob${t}a${t}ch${t}5${t}AC${t}0${t}w${t}{\"stages\":1e999999}"
refused "a time beyond 9999" \
	"insert${t}ab${t}1${t}bob${t}a${t}ch${t}253402300800000${t}AC${t}0${t}w${t}{}"
for schema in 'a"b' 'a b' "$(printf 'x%.0s' {1..64})" '"' "';--"; do
	like "a schema named ${schema:0:5} is refused" '^error EINVAL' \
		"$(ledger "$url" "$schema" check)"
done
python3 - "$scratch" <<'EOF'
import sys
def write(name, data):
    with open(f'{sys.argv[1]}/{name}.json', 'wb') as f:
        f.write(data)
mib = 1 << 20
write('full', b'{"a":"' + b'x' * (mib - 8) + b'"}')
write('over', b'{"a":"' + b'x' * (mib - 7) + b'"}')
write('bytes', b'{"stages":["' + bytes(range(128, 256)) * 8000 + b'"]}')
write('escapes', b'{"stages":["' + rb'\u0000\\u0000\ud800\udc00\ud800\u0041\udfff\"\uD83D\uDE00\ud83d\\u0020' * 12000 + b'"],"usage":{"\\u0000":1}}')
write('deep', b'{"stages":' + b'[' * 300000)
write('deep-whole', b'{"stages":' + b'[' * 1500 + b']' * 1500 + b'}')
write('half', b'{"stages":["\\ud80')
write('sql', b'{"stages":["\');DROP TABLE result;--$1 @schema@ %s \\"$$"]}')
EOF
for name in full over bytes escapes deep deep-whole half sql; do
	echo "insert hostile-$name 1 bob a ch 5 AC 0 w @$scratch/$name.json"
done | tr ' ' '\t' | "$driver" "$url" '' >"$scratch/hostile" 2>&1
equal "hostile results are kept where they are JSON of 1 MiB, else refused" \
	"inserted hostile-full/1 error inserted hostile-bytes/1 inserted hostile-escapes/1 error inserted hostile-deep-whole/1 error inserted hostile-sql/1" \
	"$(awk '{ print $1 == "error" ? $1 : $1 " " $2 }' "$scratch/hostile" | paste -sd' ')" \
	"$(cut -c1-200 "$scratch/hostile")"
equal "each is JSON to Postgres, and what stages says is what the result says" "5|t|t" \
	"$(sql "SELECT count(result::jsonb),
		bool_and(stages IS NOT DISTINCT FROM result::jsonb->'stages'),
		bool_and(usage IS NOT DISTINCT FROM result::jsonb->'usage')
		FROM sandbox.result WHERE submission LIKE 'hostile-%'")"
equal "what jsonb cannot hold is replaced, all else is as it was" \
	'�\u0000𐀀�A�"😀�\u0020' \
	"$(sql "SELECT left(stages->>0, 20) FROM sandbox.result
		WHERE submission = 'hostile-escapes'")"
equal "1 MiB comes back byte for byte" "$(sha256sum <"$scratch/full.json")" \
	"$(sql "SELECT result FROM sandbox.result WHERE submission = 'hostile-full'" | head -c -1 |
		sha256sum)"

# URLs as Prisma has them

url_is() { # NAME PATTERN URL
	like "$1" "$2" "$(ledger "$3" '' check)"
}
prisma="postgresql://postgres@localhost/postgres?host=$postgres_socket"
ledger "$url" Of_Prisma migrate >/dev/null
waits='pool_timeout=10&socket_timeout=3'
url_is "what only Prisma knows is taken out, the schema is used" '^fine$' \
	"$prisma&schema=Of_Prisma&connection_limit=5&pgbouncer=true&$waits"
url_is "wherever it stands" '^fine$' \
	"postgresql://postgres@/postgres?connection_limit=5&schema=%4f%66_Prisma&host=$postgres_socket&pgbouncer=false"
url_is "alone, nothing of the query is left" '^error E(AGAIN|ACCES)' \
	"postgresql://127.0.0.1:1/x?schema=public"
url_is "another schema" '^error EPROTO nothing_here' "$prisma&schema=nothing_here"
url_is "a schema that is malformed" '^error EINVAL' "$prisma&schema=a%22b"
url_is "one with a half-written byte" '^error EINVAL' "$prisma&schema=a%2"
url_is "libpq's own way" '^fine$' "host=$postgres_socket user=postgres dbname=postgres"
url_is "another database's URL" '^error EINVAL .*postgresql://' 'mysql://u:secret@h/db?x=y'
for bad in "postgresql://u:secret@/db?host=/x&unknown=1" "postgresql://u:secret%zz@h/db" \
	"postgresql://u:sec?ret=secret@h:port/db?a"; do
	answer=$(ledger "$bad" '' check)
	like "a URL that libpq cannot read" '^error E' "$answer"
	like "no password is told" '^[^~]*$' "${answer//sec/'~'}"
done

# Contests

ms=$(sql 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)')
equal "a contest is set, changed, removed" \
	'none set icpc [1000, 9000) 1200 set set points [1000, 9000) 7 set none' "$(
	ledger "$url" '' 'contest c1' 'contest-set c1 icpc 1000 9000 1200' 'contest c1' \
		'contest-set c1 icpc 1000 9000 1200' 'contest-set c1 points 1000 9000 7' \
		'contest c1' \
		'contest-set c1 none' 'contest c1' | sed 's/ v[0-9]*$//' | paste -sd' ')"
version() {
	ledger "$url" '' 'contest c2' | grep -o 'v[0-9]*$' | tr -d v
}
ledger "$url" '' 'contest-set c2 icpc 1000 9000 1200' >/dev/null
v1=$(version)
ledger "$url" '' 'contest-set c2 icpc 1000 9000 1200' >/dev/null
v2=$(version)
sql "UPDATE sandbox.contest SET ends_at = ends_at + interval '1 hour', version = 0 WHERE id = 'c2'"
v3=$(version)
sql "DELETE FROM sandbox.contest; INSERT INTO sandbox.contest (id, rules, starts_at, ends_at)
	VALUES ('c2', 'points', 'epoch', now())"
v4=$(version)
check "versions grow with each change, whoever makes it" \
	[ "$ms" -le "$v1" -a "$v1" -eq "$v2" -a "$v2" -lt "$v3" -a "$v3" -lt "$v4" ]
for bad in 'c3 icpc 1000 9000 90' 'c3 icpc 9000 1000 60' 'c3 icpc 0 253402300800000 60' \
	'c"3 icpc 0 1 60'; do
	like "contest $bad is refused" '^error EINVAL' "$(ledger "$url" '' "contest-set $bad")"
done

# Reading all

sql "INSERT INTO sandbox.result SELECT 'each' || i, 1 + i % 2, 's' || i % 700, 'all', 'ch' || i % 3,
	1, 'epoch',
	now(), 'AC', 1, 1, 0, 0, '', '', 'w', NULL, NULL, '{}' FROM generate_series(1, 4500) i"
hash=$(sql "SELECT submission || '|' || judge_rev FROM sandbox.result WHERE contest = 'all'
	ORDER BY student, submission, judge_rev" | python3 -c '
import sys
h = 0
for line in sys.stdin:
    name, rev = line.strip().split("|")
    for c in name.encode():
        h = (h * 31 + c) % 2**64
    h = (h * 31 + int(rev)) % 2**64
print(f"4500 {h:016x}")')
equal "all results of a contest are read, each once, in order" "$hash" \
	"$(printf 'each\tall\n' | "$driver" "$url" '')"
equal "those of a challenge, of a student, of both" "1500 7 2 0" "$(
	printf 'each\t%s\n' $'all\tch1' $'all\t\ts5' $'\tch1\ts5' $'none' | "$driver" "$url" '' |
		cut -d' ' -f1 | paste -sd' ')"
equal "reading ends when it is told to" "stopped after 2001" \
	"$(printf 'each\tall\t\t\t2001\n' | "$driver" "$url" '')"

# What was begun first

wait $mute $locked
like "a server that does not answer is given up" 'error EAGAIN : Postgres does not answer' \
	"$(cat "$scratch/mute.out")"
like "a statement that waits too long ends, and is to be asked again" 'error EAGAIN 57014:' \
	"$(cat "$scratch/locked.out")"

finish
