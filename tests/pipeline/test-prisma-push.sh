#!/bin/bash
# SPDX-License-Identifier: MIT
# `prisma db push`: tables out of a schema without migrations, with npm packages alone.
. "$(dirname "$0")/lib.sh"

here=$source_dir/tests/pipeline
challenge=$here/databases/challenge

# With a schema of everything, and a second test.
cp -r "$challenge" "$scratch/extra"
cat >"$scratch/extra/tests/todos.hurl" <<'HURL'
# @test the tables are those of Prisma's own command
GET {{base}}/extra
HTTP 200
[Asserts]
jsonpath "$.lines" > 40
jsonpath "$.equal" == true

# @test a todo is kept
POST {{base}}/todos
{ "title": "one" }
HTTP 201
HURL

submission() {
	rm -rf "$scratch/sub"
	cp -r "$here/databases/prisma-push" "$scratch/sub"
	cp "$here/databases/serve.js" "$scratch/sub"
}

package() { # CHANGE: what becomes of package.json, as JavaScript of p
	"$node" -e 'const fs = require("fs"), [, file, change] = process.argv;
		const p = JSON.parse(fs.readFileSync(file));
		eval(change);
		fs.writeFileSync(file, JSON.stringify(p));' "$scratch/sub/package.json" "$1"
}

accepted() { # NAME [CHALLENGE]
	grade "$scratch/sub" "${2:-$challenge}"
	equal "$1: accepted" AC "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
	equal "$1: what makes its tables" "1 schema of Prisma" \
		"$(member '.stages.find(s => s.name === "migrate").note')"
}

submission
cp "$here/prisma/push/"* "$scratch/sub"
mv "$scratch/sub/schema.prisma" "$scratch/sub/prisma"
package 'p.scripts = { start: "npx prisma db push --accept-data-loss && node server.js" }'
accepted "in the start script" "$scratch/extra"

# Who pushes does not look at migrations, here of an older schema.
submission
mkdir -p "$scratch/sub/prisma/migrations/20240101000000_init"
echo 'CREATE TABLE old ();' >"$scratch/sub/prisma/migrations/20240101000000_init/migration.sql"
package 'p.scripts = { build: "prisma generate && prisma db push", start: "node server.js" }'
accepted "with old migrations"

# Where the schema is says a script alone; its name stays that of the file in messages.
submission
mkdir -p "$scratch/sub/src/db"
mv "$scratch/sub/prisma/schema.prisma" "$scratch/sub/src/db/todo.prisma"
package 'p.scripts = { postinstall: "prisma generate --schema=./src/db/todo.prisma",
	start: "node server.js" }'
accepted "with the schema elsewhere"

# Prisma 7: the schema has no url, and its place is in a configuration that is no more than read.
submission
sed -i '/url/d' "$scratch/sub/prisma/schema.prisma"
mv "$scratch/sub/prisma/schema.prisma" "$scratch/sub/prisma/todo.prisma"
cat >"$scratch/sub/prisma.config.ts" <<'TS'
import path from 'node:path';
import { defineConfig, env } from 'prisma/config';
export default defineConfig({
	schema: path.resolve(process.cwd(), 'prisma', 'todo.prisma'), datasource: { url: env('DATABASE_URL') },
});
TS
cat >"$scratch/sub/server.js" <<'JS'
const { PrismaPg } = require('@prisma/adapter-pg');
const { PrismaClient } = require('@prisma/client');
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) });
require('./serve')(
	() => prisma.todo.findMany(),
	(title) => prisma.todo.create({ data: { title } }),
);
JS
rm "$scratch/sub/package-lock.json"
package 'p.dependencies = { "@prisma/client": "7.10.0", "@prisma/adapter-pg": "7.10.0",
		prisma: "7.10.0" };
	p.scripts = { start: "prisma db push && node server.js" }'
accepted "Prisma 7"

# No generator, so nothing but the tables depends on the schema: what is wrong in it has a line.
submission
sed -i '/^generator/,/^}/d' "$scratch/sub/prisma/schema.prisma"
printf '\nmodel Other {\n\tid Int @id\n\twhat Nothing\n}\n' >>"$scratch/sub/prisma/schema.prisma"
package 'p.scripts = { start: "prisma db push && node server.js" }'
grade "$scratch/sub" "$challenge"
equal "a schema that is wrong: verdict" CE "$(member .verdict)" "$(tail -20 "$scratch/stderr")"
like "a schema that is wrong: says where" \
	'The tables of the Prisma schema cannot be made: prisma/schema\.prisma:[0-9]+: .*Nothing' \
	"$(member .reason)"
finish
