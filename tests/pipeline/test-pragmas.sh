#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What tests ask of the host that runs the server: restarts, statements, memory; and the copies that
# find a race. Each with a server that is right and with one that is not.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

needs_root "for these jails"

challenge=$scratch/challenge
mkdir -p "$challenge/tests/files" "$scratch/app"
cat >"$challenge/challenge.json" <<'JSON'
{ "title": "pragmas", "port": 8000, "tests": ["tests/*.hurl"], "limits": { "boot": "4s", "tests": "40s" }, "reveal": "messages" }
JSON
printf 'bytes of a file' >"$challenge/tests/files/a note.txt"
cat >"$challenge/tests/notes.hurl" <<'HURL'
# @test write
POST {{base}}/notes/one
HTTP 201

# @test one of 20
# @parallel 20
# @expect 1 x 201, 19 x 409
POST {{base}}/notes/race
HTTP 201

# @test survives
# @restart-server
GET {{base}}/notes/one
HTTP 200

# @test files
POST {{base}}/echo
file,files/a note.txt;
HTTP 200
file,files/a note.txt;

# @test small
# @memory < 300M
# @repeat 20
# @p95 < 5s
# @hint keep what you need and no more
GET {{base}}/notes/one
HTTP 200
HURL

# Notes are files below the folder that survives; each variant of the server changes one line.
cat >"$scratch/server.js" <<'JS'
const fs = require('fs'), http = require('http');
const folder = '/app/notes/';
fs.mkdirSync(folder, { recursive: true });
//START
http.createServer(async (q, r) => {
	const file = folder + q.url.slice(7), end = (s, b) => { r.statusCode = s; r.end(b); };
	if (q.url === '/echo') { let b = ''; for await (const c of q) b += c; return end(200, b); }
	if (!q.url.startsWith('/notes/')) return end(404);
	if (q.method === 'GET') return end(fs.existsSync(file) ? 200 : 404);
	if (fs.existsSync(file)) return end(409);
	//GAP
	fs.writeFileSync(file, '');
	end(201);
}).listen(process.env.PORT);
JS
printf '{ "name": "notes", "main": "server.js" }' >"$scratch/app/package.json"

try() { # NAME VERDICT [SED-EXPRESSION]
	sed "${3:-}" "$scratch/server.js" >"$scratch/app/server.js"
	grade "$scratch/app" "$challenge"
	equal "$1: verdict" "$2" "$(member .verdict)" "$(cat "$scratch/stderr")"
	rest=$(cat "$scratch/stderr")
}

try "a right server" AC

try "a race" PARTIAL 's,//GAP,await new Promise(d => setTimeout(d\, 300));,'
like "the race is found" '20 x 201|[2-9] x 201|1[0-9] x 201' "$rest"
like "and nothing else" '4 of 5 tests passed' "$rest"

try "data that does not survive" PARTIAL \
	's,//START,fs.rmSync(folder\, { recursive: true }); fs.mkdirSync(folder);,'
like "the test that asks for it says so" 'status 404' "$rest"

try "a server that starts only once" PARTIAL \
	's,//START,if (fs.existsSync("/app/once")) process.exit(3); fs.writeFileSync("/app/once"\, "");,'
like "the restart's test says why" 'after the restart: .*exit code 3' "$rest"
like "and the rest is not run" 'the server did not come back' "$rest"
like "two of five had passed" "2 of 5 tests passed" "$rest"

try "a server that hangs at its second start" PARTIAL \
	's,//START,while (fs.existsSync("/app/once")); fs.writeFileSync("/app/once"\, "");,'
like "the restart's test says so" 'did not listen on port' "$rest"

# A parent that waits, and a grandchild in a session of its own that serves: all of them must go.
try "a server that has left its parent" AC \
	's,//START,if (!process.env.CHILD) { require("child_process").spawn(process.execPath\, [__filename]\, { detached: true\, stdio: "inherit"\, env: { ...process.env\, CHILD: "1" } }); setInterval(() => {}\, 1e9); return; },'

try "a server that grows" PARTIAL 's,//START,globalThis.much = Buffer.alloc(350 << 20\, 1);,'
like "its memory is told" 'holds too much memory' "$rest"

try "a server that ends in the tests" CRASH 's,//GAP,if (q.url.endsWith("race")) process.exit(1);,'

# The restart is asked for while it still closes its sockets.
try "a server that is long about it" CRASH \
	's,//START,for (let i = 0; i < 3000; i++) require("net").createServer().listen(0);,;s,//GAP,if (q.url.endsWith("race")) process.exit(1);,'

printf '# @sql SELECT 1 => 1\nGET {{base}}/\n' >"$challenge/tests/sql.hurl"
grade "$scratch/app" "$challenge"
like "a statement without a database is refused with its place" 'sql.hurl:1: .*@sql.* needs' \
	"$(cat "$scratch/stderr")"
rm "$challenge/tests/sql.hurl"
printf 'GET {{base}}/\nfile,none.txt;\n' >"$challenge/tests/none.hurl"
grade "$scratch/app" "$challenge"
like "a file that is missing is refused with its place" 'none.hurl:2: .*none.txt' \
	"$(cat "$scratch/stderr")"

# ---------------------------------------------------------------- with a database
rm -r "${challenge:?}/tests"
mkdir "$challenge/tests"
cp "$cars/challenge/challenge.json" "$challenge"
cat >"$challenge/tests/sql.hurl" <<'HURL'
# @test counted
# @sql SELECT count(*) FROM users => 0
POST {{base}}/signup
{ "username": "keep", "email": "keep@example.com", "password": "analytical-engine" }
HTTP 201
[Captures]
id: jsonpath "$.id"
name: jsonpath "$.username"
# @sql SELECT count(*) FROM users => 1.0
# @restart-server
# @sql SELECT id FROM users WHERE username = 'keep' => {{id}}
# @sql SELECT username FROM users => {{name}}
# @sql SELECT NULL => null
# @sql SELECT count(*) = 1 FROM users => true

# @test another value
GET {{base}}/cars
HTTP *
# @sql SELECT username FROM users => "nobody"

# @test a mistake
GET {{base}}/cars
HTTP *
# @sql SELECT nonsense FROM nowhere => 1

# @test more than one row
GET {{base}}/cars
HTTP *
# @sql SELECT generate_series(1, 2) => 1

# @test read only
GET {{base}}/cars
HTTP *
# @sql DELETE FROM users RETURNING 1 => 1

# @test too slow
GET {{base}}/cars
HTTP *
# @sql SELECT pg_sleep(30) => 1

# @test one statement
GET {{base}}/cars
HTTP *
# @sql SELECT 1; SELECT 1 => 1

# @test still there
GET {{base}}/cars
HTTP *
# @sql SELECT count(*) FROM users => 1
HURL
grade "$cars/submissions/correct" "$challenge"
rest=$(cat "$scratch/stderr")
like "statements: what holds, holds" '2 of 8 tests passed' "$rest"
like "another value" 'actual: +keep' "$rest"
like "a mistake in a statement" 'relation "nowhere" does not exist' "$rest"
like "more than one row" 'more than one row' "$rest"
like "nothing can be changed" 'read-only transaction' "$rest"
like "a slow statement ends" 'statement timeout' "$rest"
like "one statement at a time" 'multiple commands' "$rest"

finish
