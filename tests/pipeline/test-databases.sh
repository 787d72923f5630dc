#!/bin/bash
# SPDX-License-Identifier: MIT
# Where students look for their database, and how they make its tables: each submission of
# databases/ is a small server on one client or tool, unchanged for the judge.
. "$(dirname "$0")/lib.sh"

here=$source_dir/tests/pipeline/databases
challenge=$here/challenge

# A fresh copy of databases/NAME (or nothing of it) with the server, and the dependencies of most.
submission() { # [NAME]
	rm -rf "$scratch/sub"
	mkdir "$scratch/sub"
	cp "$here/package.json" "$here/package-lock.json" "$here/serve.js" "$scratch/sub"
	[ $# = 0 ] || cp -r "$here/$1/." "$scratch/sub"
}

script() { # NAME COMMAND: into package.json
	"$node" -e 'const fs = require("fs"), [, file, name, command] = process.argv;
		const p = JSON.parse(fs.readFileSync(file));
		p.scripts = { ...p.scripts, [name]: command };
		fs.writeFileSync(file, JSON.stringify(p));' "$scratch/sub/package.json" "$1" "$2"
}

# The server of pg-literal listens only when the database has answered.
ask_first() {
	local ask="other.query('SELECT 1').then(go, (e) => { throw e; });"
	sed -i -e "s/^require/$ask\nfunction go() { require/" -e '$ s/$/ }/' \
		"$scratch/sub/server.js"
}

accepted() { # NAME MIGRATIONS-PATTERN
	submission "$1"
	grade "$scratch/sub" "$challenge"
	equal "$1: accepted" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
	like "$1: what makes its tables" "$2" \
		"$(member '.stages.find(s => s.name === "migrate").note')"
}

refused() { # NAME VERDICT PATTERN: $scratch/sub as it is
	grade "$scratch/sub" "$challenge"
	equal "$1: verdict" "$2" "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
	like "$1: says why" "$3" "$(member .reason) $(member .log)"
}

accepted pg-dotenv 'SQL file'
accepted pg-literal 'SQL file'
accepted postgresjs 'SQL file'
accepted knex knex
accepted sequelize-sync 'nothing to apply'
accepted sequelize-cli sequelize
accepted typeorm typeorm
accepted node-pg-migrate node-pg-migrate
accepted prisma-push 'schema of Prisma'
accepted drizzle drizzle

# Drizzle: what the real migrate() finds, and what it makes of an empty database.
cp -r "$challenge" "$scratch/extra"
cat >"$scratch/extra/tests/todos.hurl" <<'END'
# @test as the real tool
GET {{base}}/extra
HTTP 200
[Asserts]
jsonpath "$.applied" == 2
jsonpath "$.nothing_to_do" == true
jsonpath "$.equal" == true
END
grade "$scratch/sub" "$scratch/extra"
equal "drizzle: tables and history are those of the real tool" AC "$(member .verdict)" \
	"$(tail -20 "$scratch/stderr")"

printf 'SELECT 1;--> statement-breakpoint\n\nCREATE TABLE "x" (\n\t"id" nonsense\n);' \
	>"$scratch/sub/drizzle/0001_äöü.sql"
refused "drizzle: a failing statement" CE \
	'^drizzle/0001_äöü.sql:4:7: type "nonsense" does not exist.*statement: CREATE TABLE "x"'
rm "$scratch/sub/drizzle/meta/_journal.json"
refused "drizzle: no journal" CE 'no meta/_journal.json'

# Drizzle 1.0 has a folder for each migration instead of the journal.
submission drizzle
rm -r "$scratch/sub/drizzle"
cp -r "$here/drizzle-1/." "$scratch/sub"
sed -i 's/applied" == 2/applied" == 3/' "$scratch/extra/tests/todos.hurl"
grade "$scratch/sub" "$scratch/extra"
equal "drizzle 1.0: tables and history are those of the real tool" AC "$(member .verdict)" \
	"$(tail -20 "$scratch/stderr")"
equal "drizzle 1.0: applied natively" "1 folder of drizzle" \
	"$(member '.stages.find(s => s.name === "migrate").note')"
sed -i 's/postgres/sqlite/' "$scratch/sub/drizzle/20260201000000_last/snapshot.json"
refused "drizzle 1.0: for another database" CE \
	'20260201000000_last/snapshot.json: the migrations are for "sqlite"'
rm "$scratch/sub/drizzle/20260201000000_last/snapshot.json"
echo 'SELEC 1' >"$scratch/sub/drizzle/20260201000000_last/migration.sql"
refused "drizzle 1.0: a failing statement" CE \
	'^drizzle/20260201000000_last/migration.sql:1:1: syntax error'
mv "$scratch/sub/drizzle/20260201000000_last" "$scratch/sub/drizzle/last"
refused "drizzle 1.0: a folder without a time" CE \
	'"drizzle/last/migration.sql" is not a migration of drizzle'

# A tool that fails.
submission knex
sed -i 's/createTable/createTabel/' "$scratch/sub/migrations/"*.js
refused "knex: a failing migration" CE \
	'^The migration \(knex migrate:latest --knexfile knexfile.js\) ended with exit code 1.*createTabel is not a function'
submission knex
sed -i 's/^module.exports = {/module.exports = { development: {/; s/^};/} };/' \
	"$scratch/sub/knexfile.js"
sed -i "s/require('.\/knexfile')/require('.\/knexfile')[process.env.NODE_ENV || 'development']/" \
	"$scratch/sub/server.js"
grade "$scratch/sub" "$challenge"
equal "knex: configured for development only" AC "$(member .verdict)" \
	"$(tail -20 "$scratch/stderr")"

# The challenge may say what is run.
submission knex
mv "$scratch/sub/knexfile.js" "$scratch/sub/db.js"
sed -i 's/knexfile/db/' "$scratch/sub/server.js"
cp -r "$challenge" "$scratch/pinned"
pinned='"migrate": { "run": ["npx", "knex", "--knexfile", "db.js", "migrate:latest"] }'
sed -i "s/\"port\"/$pinned,\n\t&/" "$scratch/pinned/challenge.json"
grade "$scratch/sub" "$scratch/pinned"
equal "a command that the challenge names" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
sed -i 's/"run": .*]/"run": ["sh", "migrate.sh"]/' "$scratch/pinned/challenge.json"
echo 'echo no table; exit 3' >"$scratch/sub/migrate.sh"
grade "$scratch/sub" "$scratch/pinned"
like "its failure is told, with its words" \
	'The migration \(sh migrate.sh\) ended with exit code 3: no table' \
	"$(member .reason)"

# A script of package.json.
submission node-pg-migrate
script migrate node-pg-migrate
grade "$scratch/sub" "$challenge"
equal "a script that is the tool alone" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
like "it is told" 'package.json ."migrate' "$(member .detected)"

# The start script migrates: the tool does so in its own stage, Prisma is applied by us.
submission knex
script start 'npx knex migrate:latest && node server.js'
grade "$scratch/sub" "$challenge"
equal "a start script that migrates" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
like "in the stage of its own" 'knex migrate:latest' \
	"$(member '.stages.find(s => s.name === "migrate").note')"
submission drizzle
script start 'drizzle-kit migrate && node server.js'
grade "$scratch/sub" "$challenge"
equal "a start script with a tool that is not installed" AC "$(member .verdict)" \
	"$(tail -20 "$scratch/stderr")"

# Prisma's bookkeeping, in a folder of its own choice.
submission
mkdir -p "$scratch/sub/db/migrations/1_init"
echo 'CREATE TABLE todos (id serial PRIMARY KEY, title text NOT NULL);' \
	>"$scratch/sub/db/migrations/1_init/migration.sql"
echo "export default { schema: 'db/schema.prisma', migrations: { path: './db/migrations' } };" \
	>"$scratch/sub/prisma.config.ts"
cp "$here/postgresjs/"{server.js,.env.example} "$scratch/sub"
grade "$scratch/sub" "$challenge"
equal "Prisma: a folder of its own" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
like "Prisma: applied as such" '1 Prisma migration' \
	"$(member '.stages.find(s => s.name === "migrate").note')"
echo 'provider = "mysql"' >"$scratch/sub/db/migrations/migration_lock.toml"
refused "Prisma: for another database" CE 'db/migrations/migration_lock.toml: .*"mysql".*P3019'

# A compose file, as the only place that names things.
submission pg-literal
mkdir "$scratch/sub/docker"
mv "$scratch/sub/database.sql" "$scratch/sub/docker/tables.sql"
cat >"$scratch/sub/docker-compose.yml" <<'END'
services:
  postgres:
    image: postgres:16
    environment:
      POSTGRES_USER: composed
      POSTGRES_DB: composed_db
    volumes:
      - ./docker/tables.sql:/docker-entrypoint-initdb.d/1.sql:ro
END
sed -i -e "s/user: 'todo_user'/['us' + 'er']: 'composed'/" \
	-e "s/database: 'todo_db'/['data' + 'base']: 'composed_db'/" \
	-e "s/todo_db/' + 'composed_db/" "$scratch/sub/server.js"
grade "$scratch/sub" "$challenge"
equal "names and SQL of a compose file" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"

# What cannot be known is said.
rm "$scratch/sub/docker-compose.yml"
ask_first
refused "a database that is hidden in the code" BOOT \
	'database named "composed_db", which is not the one.*DATABASE_URL'
sed -i "s/localhost:5432/localhost:5433/" "$scratch/sub/server.js"
refused "another port" BOOT 'connects to port 5433.*DATABASE_URL'

# Rows of COPY, statements of administrators, and what only psql can do.
submission pg-dotenv
sed -i 's/^1\t.*/1\ttoo\tmany/' "$scratch/sub/init.sql"
refused "COPY: a bad row" CE \
	'^init.sql:17:1: extra data after last expected column.*COPY public.todos'
submission pg-dotenv
sed -i 's/^\\c shop/\\i other.sql/' "$scratch/sub/init.sql"
refused "a command of psql" CE '^init.sql:5: "\\i other.sql" is a command of psql'

# The superuser is nobody's.
submission pg-literal
sed -i "s/postgres:postgres@/sandbox_admin:postgres@/" "$scratch/sub/server.js"
ask_first
refused "the superuser cannot be reached" BOOT 'ClientAuthentication'

finish
