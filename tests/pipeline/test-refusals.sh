#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Mistakes that students make, each in a submission that is otherwise in order: what is judged, and
# whether the reason names what is wrong and where, so that its author can repair it.
. "$(dirname "$0")/lib.sh"

matrix=$source_dir/tests/matrix
hurl=$scratch/challenge # gives up sooner
cp -r "$matrix/challenge" "$hurl"
sed -i 's/"boot": "[0-9]*s"/"boot": "8s"/' "$hurl/challenge.json"
work=$scratch/work

from() { # SUBMISSION: what the mistake is made in
	rm -rf "$work"
	cp -r "$matrix/submissions/$1" "$work"
}

edit() { # FILE JAVASCRIPT: changes package.json or another file of JSON, named `f`
	"$node" -e 'const fs = require("fs"), f = JSON.parse(fs.readFileSync(process.argv[1]));
		eval(process.argv[2]);
		fs.writeFileSync(process.argv[1], JSON.stringify(f, null, 2));' "$work/$1" "$2"
}

judged() { # NAME VERDICT PATTERN [PATTERN of the log]: of $scratch/work.zip
	grade "$scratch/work.zip" "$hurl"
	equal "$1: $2" "$2" "$(member .verdict)" "$(tail -12 "$scratch/stderr")"
	like "$1: the reason says why" "$3" "$(member .reason)"
	[ $# -lt 4 ] || like "$1: the log shows it" "$4" "$(member .log)"
}

refused() {
	python3 "$matrix/zip.py" "$work" "$scratch/work.zip" wrapped
	judged "$@"
}

# What is handed in

tar -czf "$scratch/work.zip" -C "$matrix/submissions" express-pg
judged "another archive under the name of a zip" CE 'tar\.gz.*not a zip'

from express-pg
sed -i '$d' "$work/package.json"
refused "package.json is cut off" CE 'package\.json:16:.*expected'

from express-pg
edit package.json 'delete f.scripts.start'
mv "$work/src/server.js" "$work/src/run.js"
refused "nothing to start" BOOT '[Nn]othing to start.*start'

from express-pg
edit package.json 'f.scripts.start = "deno run -A src/server.js"'
refused "started by a program that is not there" BOOT 'deno'

from tsnode-nodemon
edit package.json 'f.scripts = { start: "node dist/index.js" }'
refused "TypeScript that nobody compiles" BOOT 'dist/index\.js'

from express-pg
mkdir "$scratch/both"
cp -r "$work" "$scratch/both/shop"
mv "$work" "$scratch/both/library"
mv "$scratch/both" "$work"
refused "two projects in one archive" CE 'library.*shop|shop.*library'

rm -rf "$work"
mkdir "$work"
echo "my homework" >"$work/notes.txt"
refused "no program at all" BOOT '[Nn]othing to start'

# Packages

rm -rf "$work"
cp -r "$matrix/refused/bcrypt5" "$work"
refused "bcrypt 5 downloads its binary from elsewhere" CE \
	'bcrypt.*(github\.com|another host|download)'

from express-pg
edit package.json 'f.dependencies["@example-school/auth"] = "^1.0.0"'
edit package-lock.json 'f.packages[""].dependencies["@example-school/auth"] = "^1.0.0";
	f.packages["node_modules/@example-school/auth"] = { version: "1.0.0",
		resolved: "https://npm.example.com/@example-school/auth/-/auth-1.0.0.tgz",
		integrity: "sha512-" + Buffer.alloc(64).toString("base64") };'
refused "a package of a private registry" CE \
	'@example-school/auth.*(not found|no such|does not|not in|404)'

from express-pg
edit package.json 'f.dependencies["my-lib"] = "git+https://git.example.com/me/my-lib.git"'
refused "a dependency from git" CE 'my-lib.*git'

from express-pg
edit package.json 'f.dependencies["my-lib"] = "file:../my-lib"'
refused "a dependency on the student's own disk" CE 'my-lib.*file:'

from express-pg
edit package.json 'f.dependencies.expres = "^5.1.0"; delete f.dependencies.express'
refused "a package that is not the lockfile's" CE 'expres|lockfile|package-lock'

from fastify-esbuild
edit package.json 'f.packageManager = "pnpm@99.1.0"'
refused "pinned to a package manager that does not exist" CE 'pnpm@99\.1\.0'

from fastify-esbuild
edit package.json 'f.packageManager = "pnpm@3.1.0"'
refused "pinned to one that is too old" CE 'pnpm@3\.1\.0'

# The build

from tsnode-nodemon
edit package.json 'f.scripts = { build: "tsc --outDir dist", start: "node dist/index.js" }'
sed -i 's/result.rows.length, copies/result.rows.size, copies/' "$work/src/index.ts"
refused "an error of types" CE 'build.*exit code 2' 'src/index\.ts.*TS2339'

# The database

from express-pg
echo 'CREATE INDEX books_genre ON books (genre);' >>"$work/schema.sql"
refused "SQL that fails" CE 'schema\.sql.*column "genre" does not exist'

from fastify-knex
sed -i "s/alterTable('books'/alterTable('boks'/" "$work/migrations/20250903093000_add_stock.js"
refused "a knex migration that fails" CE 'knex.*exit code 1' \
	'20250903093000_add_stock.*relation "boks" does not exist'

from express-prisma6
sed -i 's/REFERENCES "Book"/REFERENCES "Books"/' \
	"$work/prisma/migrations/20250911140210_sales/migration.sql"
sed -i 's/"build": .*/"build": "",/' "$work/package.json"
refused "a Prisma migration that fails" CE \
	'20250911140210_sales/migration\.sql.*relation "Books" does not exist'

from express-prisma6
sed -i 's/^  books Book\[\]/  books Bok[]/' "$work/prisma/schema.prisma"
refused "a Prisma schema with an error" CE 'prisma generate' 'Bok'

from hono-drizzle
sed -i 's/ALTER TABLE "books" ADD CONSTRAINT/ALTER TABLE "book" ADD CONSTRAINT/' \
	"$work"/drizzle/0001*.sql
refused "a drizzle migration that fails" CE '0001_cool_husk\.sql.*relation "book" does not exist'

# The start

from express-pg
sed -i 's/app.use(express.json());/app.use(express.json()/' "$work/src/server.js"
refused "a syntax error" BOOT 'exit code 1' 'server\.js.*SyntaxError'

from express4-postgresjs
sed -i "s/app.listen(3000,/app.listen(3000, '127.0.0.1',/" "$work/index.js"
refused "another port than the challenge's" BOOT 'listens on port 3000, not on 8000.*PORT'

from express-pg
sed -i 's/process.env.DATABASE_URL/"postgres:\/\/me:secret@db.example.com\/shop"/' "$work/src/db.js"
sed -i -e 's/^const port/await&/; s/^await.*/db.query("SELECT 1").then(() => app.listen(8000));/' \
	-e '/^app.listen/d' "$work/src/server.js"
refused "a database on another machine" BOOT 'exit code 1' '(EAI_AGAIN|ENOTFOUND).*db\.example\.com'

from express-pg
sed -i 's/app.listen(port.*/process.exit(0);/' "$work/src/server.js"
refused "it ends by itself" BOOT 'ended by itself.*listen'

# The tests

from express-pg
crash='router.use((req, res, next) => process.nextTick(() => req.user.id > 0 \&\& next()));'
sed -i "/^router.param/i $crash" "$work/src/books.js"
refused "it crashes at the first request" CRASH 'exit code 1' "TypeError.*'id'"

finish
