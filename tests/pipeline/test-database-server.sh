#!/bin/bash
# SPDX-License-Identifier: MIT
# Databases of submissions on a server that others use (docs/databases.md): a private cluster, whose
# administrator is a superuser, or may only make roles and databases, as a managed one's is.
# alone: what is left on the host is counted
. "$(dirname "$0")/../runner/lib.sh"

here=$source_dir/tests/pipeline/database-server
databases=$source_dir/tests/pipeline/databases
matrix=$source_dir/tests/matrix
challenge=$databases/challenge

# Everybody else comes in by password, and only to a database that has his name.
lock_doors() {
	cat >"$scratch/postgres/data/pg_hba.conf" <<END
local all postgres trust
local all manager trust
local sameuser all scram-sha-256
local together all scram-sha-256
END
	sql 'SELECT pg_reload_conf()' >/dev/null
}

# Roles and databases of submissions.
ours() {
	sql "SELECT datname FROM pg_database WHERE datname LIKE 'sbx%'
		UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 'sbx%'"
}

none_left() {
	[ -z "$(ours)" ]
}

gone() { # NAME
	until_true 400 none_left
	equal "$1: no role and no database is left" "" "$(ours)"
}

on_server() { # SUBMISSION CHALLENGE [OPTION...]
	SANDBOX_RUN_DATABASE=$url grade "$@"
}

explain() {
	member .reason
	tail -12 "$scratch/stderr"
	tail -5 "$scratch/log"
}

# A copy of database-server/NAME with the packages of most.
submission() { # NAME
	rm -rf "$scratch/sub"
	mkdir "$scratch/sub"
	cp "$databases/package.json" "$databases/package-lock.json" "$scratch/sub"
	cp "$here/$1/server.js" "$scratch/sub"
}

said() { # NAME EXPECTED: of the probe
	equal "a submission: $1" "$2" "$(sed -n "s/^$1: //p" "$scratch/log")"
}

postgres_start || {
	fail "a private Postgres starts"
	finish
	exit
}
lock_doors
sql 'CREATE ROLE manager LOGIN CREATEROLE CREATEDB'
superuser=$postgres_url
manager="postgresql://manager@/postgres?host=$postgres_socket"
before=$(traces)

# Without being changed, as with a server of their own.
url=$superuser
on_server "$cars/submissions/correct" "$cars/challenge"
equal "car rental, superuser: accepted" AC "$(member .verdict)" "$(explain)"
equal "the result says where the database was" server "$(member .database.provider)"
like "and so does the stage" 'on the server' \
	"$(member '.stages.find(s => s.name === "database").note')"
gone "car rental"
url=$manager
for name in express-pg hono-prisma7 hono-drizzle; do
	on_server "$matrix/submissions/$name" "$matrix/challenge"
	equal "$name, no superuser: accepted" AC "$(member .verdict)" "$(explain)"
done
gone "matrix"

# Names, passwords and hosts that are written into the code.
rm -rf "$scratch/sub"
mkdir "$scratch/sub"
cp "$databases/package.json" "$databases/package-lock.json" "$databases/serve.js" "$scratch/sub"
cp -r "$databases/pg-literal/." "$scratch/sub"
on_server "$scratch/sub" "$challenge"
equal "names in the code, and TLS: accepted" AC "$(member .verdict)" "$(explain)"

# What it may not do, with two administrators. What somebody left is dropped in passing.
hostile() { # LABEL
	submission probe
	sql "CREATE ROLE sbx_00000000000000aa_00000000000000aa LOGIN;
		CREATE ROLE sbx_00000000000000aa_00000000000000bb"
	# as who made them has it, from Postgres 16 on
	sql "GRANT sbx_00000000000000aa_00000000000000aa TO manager WITH ADMIN OPTION"
	sql "GRANT sbx_00000000000000aa_00000000000000bb TO manager WITH ADMIN OPTION"
	sql "CREATE DATABASE sbx_00000000000000aa_00000000000000aa OWNER manager"
	on_server "$scratch/sub" "$challenge"
	equal "$1: a hostile submission is judged" WA "$(member .verdict)" "$(explain)"
	said 'one name' true
	said 'pinned postgres\/postgres' true
	said 'pinned postgres\/template1' true
	said 'pinned x"; DROP\/a.b c%s' true
	said superuser 42501
	said 'set role' 42501
	said 'reset role' 'ok {"same":true}'
	said 'copy program' 42501
	said 'read file' 42501
	said 'import file' 42501
	said 'untrusted extension' 42501
	said 'trusted extension' 'ok {}'
	said 'create role' 42501
	said 'create database' 42501
	said 'rename database' 42501
	said comment 42501
	said 'language C' 42501
	said subscription 42501
	said 'more temporary files' 42501
	said 'more connections' 42501
	said log 42501
	said 'own schema is public' 'ok {"own":true}'
	said 'much in the clear' true
	said 'much over TLS' true
	said 'after those who left' 'ok {"one":1}'
	said 'work_mem' 'ok {}'
	said '1200 tables' 'ok {"n":1200}'
	said sessions '53300 true'
	said 'cancelled with another key' slept
	said cancelled 57014
	said 'own password' 28P01
	gone "$1"
}
url=$superuser
hostile superuser
equal "no password was guessed at the server" 1 \
	"$(grep -c 'password authentication failed' "$scratch/postgres.log")"
url=$manager
hostile "no superuser"

# Too much data. A limit that is small is met between two looks, so it can be passed by a little.
submission fills
cp -r "$challenge" "$scratch/small"
sed -i 's/"boot": "60s"/&, "database_disk": "32M"/' "$scratch/small/challenge.json"
on_server "$scratch/sub" "$scratch/small"
equal "too much data: DLE" DLE "$(member .verdict)" "$(explain)"
like "too much data: it is told" 'filled its disk space of 32 MiB' "$(member .reason)"
like "too much data: it was thrown out" '^stopped: ' "$(cat "$scratch/log")"
gone "too much data"

# ------------------------------------------------------------ what may happen meanwhile

submission waits

begin() { # SUBMISSION: in the background; waits until it is at its database
	SANDBOX_RUN_DATABASE=$url \
		"$run" grade "$scratch/sub" --challenge "$scratch/small" --store "$store" \
		--json="$scratch/result.json" >"$scratch/stderr" 2>&1 &
	grading=$!
	until_true 600 submission_waits || fail "the submission reaches its database" \
		"$(cat "$scratch/stderr")"
}

submission_waits() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'the submission waits'")" = 1 ]
}

rm -rf "$scratch/small"
cp -r "$challenge" "$scratch/small"

begin
kill -INT $grading
wait $grading
equal "Ctrl-C: exit code" 130 $?
equal "Ctrl-C: nothing is left when it has ended" "" "$(ours)"

begin
kill -KILL $grading
{ wait $grading; } 2>/dev/null
gone "kill -9"

# The keeper is killed as well: the next one finds what is left.
begin
keepers=$(pgrep -P $grading -x sandbox-keeper)
kill -KILL $keepers $grading
{ wait $grading; } 2>/dev/null
left=$(ours)
like "killed with its keeper: something is left" '^sbx_' "$left"
on_server "$cars/submissions/partial" "$cars/challenge"
equal "the next one is judged" PARTIAL "$(member .verdict)" "$(explain)"
gone "the next one sweeps"

# The server goes away and comes back.
begin
postgres_stop postgres QUIT
postgres_start
wait $grading
status=$?
equal "a restart in the middle is not the student's" "4 IE" "$status $(member .verdict)" \
	"$(member .reason)"
like "and is told" 'database server' "$(member .reason)"
on_server "$cars/submissions/partial" "$cars/challenge"
equal "afterwards all is as before" PARTIAL "$(member .verdict)" "$(explain)"
gone "a restart"

# ------------------------------------------------------------------------ mistakes

doctor() { # URL
	SANDBOX_RUN_DATABASE=$1 "$run" doctor --store "$store" --color never
}
found=$(doctor "$superuser")
like "doctor: a superuser is too much" 'WARN +database rights +postgres is a superuser' "$found"
like "doctor: what is open to everybody" 'WARN +other databases .*template1' "$found"
like "doctor: a login was tried" 'PASS +login +by password' "$found"
like "doctor: and one where there should be none" 'PASS +login elsewhere +refused' "$found"
like "doctor: a database was made" 'PASS +a database +made in' "$found"
found=$(doctor "$manager")
like "doctor: rights that suffice" 'PASS +database rights' "$found"
like "doctor: a limit that he cannot set" 'WARN +temp_file_limit' "$found"
sql 'GRANT SET ON PARAMETER temp_file_limit TO manager'
equal "doctor: a limit that he may set now" 0 "$(doctor "$manager" | grep -c temp_file_limit)"
sed -i 's/^local sameuser/local all/; s/scram-sha-256$/trust/' "$scratch/postgres/data/pg_hba.conf"
sql 'SELECT pg_reload_conf()' >/dev/null
found=$(doctor "$manager")
like "doctor: doors that are open" 'WARN +login +no password' "$found"
like "doctor: other doors" 'WARN +login elsewhere' "$found"
lock_doors
gone doctor

url="postgresql://postgres@/postgres?host=$scratch/nowhere"
on_server "$cars/submissions/correct" "$cars/challenge"
equal "no server: IE" "4 IE" "$status $(member .verdict)"
url="postgresql://weak@/postgres?host=$postgres_socket"
sql 'CREATE ROLE weak LOGIN'
sed -i '1i local all weak trust' "$scratch/postgres/data/pg_hba.conf"
sql 'SELECT pg_reload_conf()' >/dev/null
on_server "$cars/submissions/correct" "$cars/challenge"
like "an administrator without rights: what he lacks" 'CREATEROLE CREATEDB' "$(member .reason)"
url="postgresql://postgres@/postgres?host=$postgres_socket&sslmode=require"
on_server "$cars/submissions/correct" "$cars/challenge"
like "TLS that submissions would not have" 'without TLS' "$(member .reason)"

# --------------------------------------------------------------- a schema each (isolation)

sql 'CREATE DATABASE together'
sql 'REVOKE ALL ON DATABASE together FROM PUBLIC;
	GRANT ALL ON DATABASE together TO manager WITH GRANT OPTION'
for url in "$superuser" "$manager"; do
	on_server "$cars/submissions/correct" "$cars/challenge" --database-shared together
	equal "shared: accepted" AC "$(member .verdict)" "$(explain)"
	gone shared
	equal "shared: no schema is left" "" \
		"$(sql "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sbx%'" \
			-d "dbname=together host=$postgres_socket user=postgres")"
done

submission probe
on_server "$scratch/sub" "$challenge" --database-shared together
said '1200 tables' 'ok {"n":1200}'
said 'create database' 42501
gone "shared, hostile"

nothing_left "$before"
finish
