#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What is found out about a submission: archives as they come, how it is built and started, where it
# listens, how many processors it sees. The submissions are made here, of Node alone.
. "$(dirname "$0")/lib.sh"

mkdir -p "$scratch/challenge/tests"
cat >"$scratch/challenge/tests/a.hurl" <<'EOF'
# @test answers
GET {{base}}/
HTTP 200
[Asserts]
body contains "hello"
EOF

challenge() { # [MORE-JSON]: "$scratch/challenge"
	cat >"$scratch/challenge/challenge.json" <<EOF
{ "title": "Detection", "tests": ["tests/*.hurl"], "port": 8000, "reveal": "messages"${1:+, $1} }
EOF
}

begin() { # empties the project
	rm -rf "$scratch/project"
	mkdir -p "$scratch/project"
}

put() { # FILE: standard input
	mkdir -p "$(dirname "$scratch/project/$1")"
	cat >"$scratch/project/$1"
}

server() { # FILE [CONDITION]: says hello on PORT if the condition holds
	put "$1" <<EOF
if (!(${2:-true})) throw new Error('not as it should be');
require('node:http').createServer((q, s) => s.end('hello')).listen(process.env.PORT);
EOF
}

scripts() { # JSON members of "scripts" [MORE-JSON]
	put package.json <<<"{ \"scripts\": { $1 }${2:+, $2} }"
}

zipped() { # grades the project as a zip
	zip_folder "$scratch/project" "$scratch/project.zip"
	grade "$scratch/project.zip" "$scratch/challenge"
}

judged() { # NAME VERDICT [REASON-PATTERN]
	zipped
	equal "$1: verdict" "$2" "$(member .verdict)" "$(member .reason) $(member .log)"
	if [ -n "${3:-}" ]; then
		like "$1: the reason says why" "$3" "$(member .reason)"
	fi
}

detected() { # WHAT: how it was detected
	member ".detected.find(d => d.what === '$1')?.text"
}

starts() { # NAME START-SCRIPT PATTERN [MORE-SCRIPTS]: with server.js, which wants A=1 when told so
	scripts "\"start\": \"$2\"${4:+, $4}"
	judged "$1" AC
	like "$1: what is run" "$3" "$(detected start)"
}

challenge

# ------------------------------------------------------------------------------- scripts
begin
server server.js "process.env.A === '1' && !process.env.npm_lifecycle_event"
starts "cross-env" "cross-env A=1 node server.js" \
	'^env A=1 node server.js \(package.json "start"\)$'
starts "settings in a file that was left out" "A=1 node --env-file=.env server.js" \
	'^env A=1 node --env-file-if-exists=.env server.js '
starts "a watcher behind two scripts" "A=1 npm run serve -- --x" '^env A=1 node server.js --x ' \
	'"serve": "yarn dev", "dev": "nodemon --ext js,json server.js"'
starts "a variable" "A=\${X:-1} node --watch server.js" '^A=\$\{X:-1\} exec node server.js '
starts "concurrently" "concurrently 'npm:watch-*'" '^env A=1 node server.js ' \
	'"watch-x": "echo watching", "watch-y": "A=1 nodemon server.js"'
starts "hooks" "A=1 node server.js" '^cp server.js x.js && A=1 exec node server.js ' \
	'"prestart": "cp server.js x.js"'
scripts '"prestart": "cp server.js made.js", "start": "A=1 node made.js"'
judged "a hook that makes the file" AC

begin
put server.mjs <<'EOF'
import http from 'node:http';
http.createServer((q, s) => s.end('hello')).listen(process.env.PORT);
EOF
judged "no package.json" AC
equal "no package.json: what is run" "node server.mjs (its name)" "$(detected start)"

begin
server made/index.js
put package.json <<<'{ "type": "commonjs", "main": "./made" }'
judged "main is a folder" AC

begin
put package.json <<<'{ "scripts": { "build": "node build.js", "start": "node dist/server" } }'
put build.js <<'EOF'
require('fs').mkdirSync('dist');
require('fs').writeFileSync('dist/server.js',
	"require('http').createServer((q, s) => s.end('hello')).listen(process.env.PORT)");
EOF
judged "the file that the build makes" AC
like "the file that the build makes is found" '^node dist/server.js' "$(detected start)"
put build.js <<<'console.error("src/a.ts(3,5): error TS2322: no"); process.exit(2)'
judged "a failing build" CE 'The build ended with exit code 2: src/a.ts\(3,5\): error TS2322: no$'
like "the compiler's last lines are shown" 'error TS2322' "$(member .log)"
put build.js <<<''
judged "a build that makes something else" BOOT \
	'started with `node dist/server`.*no file dist/server: .*the build did not make it'
begin
put server.js <<<'require("express")'
judged "a package that nobody named" BOOT \
	'exit code 1: Error: Cannot find module .express. \(server.js:1\); there is no package.json'
put server.js <<<'
let x = {;'
judged "a syntax error" BOOT 'exit code 1: SyntaxError: Unexpected token .;. \(server.js:2\)'
scripts '"start": "node dist/server"'
judged "nothing builds it" BOOT 'nothing builds it \(package.json has no "build" script\)'
rm "$scratch/project"/*
put README.md <<<'# nothing'
judged "nothing to start" BOOT 'There is nothing to start'

# ---------------------------------------------------------------------------- TypeScript
begin
put src/index.ts <<'EOF'
import http, { type IncomingMessage } from 'node:http';
import { hello } from './hello.ts';
const port: number = Number(process.env.PORT);
http.createServer((q: IncomingMessage, s) => s.end(hello<string>('hello'))).listen(port);
EOF
put src/hello.ts <<<'export const hello = <T>(x: T): T => x;'
put package.json <<<'{ "type": "module" }'
judged "types that Node strips" AC
equal "types that Node strips: how" "TypeScript (Node strips the types)" "$(detected language)"
put src/hello.ts <<<'export enum A { B } export const hello = (x: unknown) => x;'
judged "an enum, and nothing that runs it" BOOT 'src/hello.ts:1 holds an enum.*npm install tsx'

# --------------------------------------------------------------------------------- ports
begin
listening() { # ARGUMENTS of listen
	put server.js <<<"require('http').createServer((q, s) => s.end('hello')).listen($1)"
}
for where in "process.env.PORT, '127.0.0.1'" "process.env.PORT, '::1'" \
	"process.env.PORT, '0.0.0.0'" "process.env.PORT, 'localhost'" \
	"process.env.API_PORT, process.env.HOST"; do
	listening "$where"
	judged "listen($where)" AC
done
listening 3000
judged "a port of its own" BOOT 'listens on port 3000, not on 8000'
put server.js <<'EOF'
const http = require('http');
http.createServer((q, s) => s.end('metrics')).listen(3000);
setTimeout(() => http.createServer((q, s) => s.end('hello')).listen(process.env.PORT), 1000);
EOF
judged "the right port a little later than another" AC

challenge '"any_port": true'
for where in 3000 "3000, '127.0.0.1'" "3000, '::1'" 80; do
	listening "$where"
	judged "any port: listen($where)" AC
	like "any port: listen($where) is told" '^(3000|80) instead of 8000$' "$(detected port)"
done
like "any port: and noted" 'listens on port 80, not on the one in PORT \(8000\)' "$(member .notes)"
listening process.env.PORT
judged "any port: the right one" AC
equal "any port: the right one needs no relay" undefined "$(detected port)"
put server.js <<'EOF'
const http = require('http');
http.createServer((q, s) => s.end('hello')).listen(3000);
require('net').createServer(() => {}).listen(9000);
require('inspector').open(9229);
EOF
judged "any port: beside one that is not HTTP, and a debugger" AC
challenge '"any_port": true, "limits": { "boot": "3s" }'
put server.js <<'EOF'
const http = require('http');
http.createServer((q, s) => s.end('hello')).listen(3000);
http.createServer((q, s) => s.end('hello')).listen(4000);
EOF
judged "any port: two of them" BOOT \
	'ports (3000, 4000|4000, 3000) and not on 8000, so it is not clear'
challenge '"any_port": true'
put server.js <<'EOF'
const http = require('http');
http.createServer((q, s) => {
	if (q.url === '/late') http.createServer(() => {}).listen(8000);
	else s.end('hello');
}).listen(3000);
EOF
printf '# @test answers late\nGET {{base}}/late\nHTTP 200\n' >"$scratch/challenge/tests/b.hurl"
judged "any port: the right one too late" CRASH EADDRINUSE
like "any port: the right one too late is explained" \
	'first answered on port 3000 and later wanted port 8000' "$(member .notes)"
rm "$scratch/challenge/tests/b.hurl"

# ---------------------------------------------------------------------------- processors
challenge '"limits": { "cpu": 2.5 }'
begin
put server.js <<'EOF'
const cluster = require('cluster'), os = require('os');
if (cluster.isPrimary) {
	for (let i = 0; i < os.cpus().length; i++) cluster.fork();
} else {
	require('http').createServer(async (q, s) => {
		const { cpus, availableParallelism } = await import('os');
		const seen = [os.cpus().length, cpus().length, availableParallelism(), os.cpus()[0].times.idle];
		s.end(seen.join() === '3,3,3,0' ? 'hello' : seen.join());
	}).listen(process.env.PORT);
}
EOF
judged "a worker for each processor" AC
challenge '"env": { "NODE_OPTIONS": "--stack-trace-limit=7" }'
put server.js <<'EOF'
const n = require('os').cpus().length, limit = Error.stackTraceLimit;
require('http').createServer((q, s) => s.end(n === 2 && limit === 7 ? 'hello' : 'no')).listen(process.env.PORT);
EOF
judged "NODE_OPTIONS of a challenge" AC

# ------------------------------------------------------------------------------ archives
challenge
begin
server server.js
scripts '"start": "node server.js"'

archived() { # NAME VERDICT PATTERN: Python on standard input writes the archive sys.argv[1]
	(cd "$scratch/project" && python3 - "$scratch/made.zip")
	grade "$scratch/made.zip" "$scratch/challenge"
	equal "$1: verdict" "$2" "$(member .verdict)" "$(member .reason)"
	like "$1: the reason" "$3" "$(member .reason)"
	rm -f "$scratch/made.zip"
}

archived "zip64, and sizes behind the contents" AC 'passed' <<'EOF'
import sys, zipfile
class Stream:
    def __init__(self, f): self.f = f
    def write(self, b): return self.f.write(b)
    def flush(self): pass
with open(sys.argv[1], 'wb') as f, zipfile.ZipFile(Stream(f), 'w', zipfile.ZIP_DEFLATED) as z:
    for name in ('package.json', 'server.js'):
        with z.open(zipfile.ZipInfo('a/b/' + name), 'w', force_zip64=True) as e:
            e.write(open(name, 'rb').read())
EOF
archived "backslashes, and names of code page 437" AC 'passed' <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    z.write('package.json', 'p/package.json')
    z.write('server.js', 'p/server.js')
    z.writestr('p/caf@/x', 'y')
b = open(sys.argv[1], 'rb').read()
b = b.replace(b'p/', b'p\\').replace(b'caf@/', b'caf\x82\\')
b = b.replace(b'PK\1\2\x14\3', b'PK\1\2\x14\0')
open(sys.argv[1], 'wb').write(b)
EOF
archived "a tar" CE 'is a .tar.gz or .gz file, not a zip' <<'EOF'
import sys, tarfile
with tarfile.open(sys.argv[1], 'w:gz') as t: t.add('.')
EOF
archived "bzip2" CE 'compressed with bzip2 \(method 12\)' <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_BZIP2) as z: z.write('server.js')
EOF
archived "LZMA" CE 'compressed with LZMA' <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_LZMA) as z: z.write('server.js')
EOF
archived "an empty zip" CE 'holds no files' <<'EOF'
import sys, zipfile
zipfile.ZipFile(sys.argv[1], 'w').close()
EOF
archived "a zip in a zip" CE 'holds another archive, "project.zip"' <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z: z.write('server.js', 'project.zip')
EOF
archived "two projects, one a server" AC 'passed' <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    z.write('package.json', 'work/backend/package.json')
    z.write('server.js', 'work/backend/server.js')
    z.writestr('work/frontend/package.json', '{"dependencies":{"react":"18","vite":"5"}}')
    z.writestr('work/README.md', '')
EOF
like "which of them is told" 'the project is the folder .*backend.* of the archive' \
	"$(member .notes)"
archived "two servers" CE 'several projects that could be the server.*"(a|b)" and "(a|b)"' <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for d in 'ab':
        z.write('package.json', d + '/package.json')
        z.write('server.js', d + '/server.js')
EOF

# ------------------------------------------------------- node_modules that are handed in
challenge '"node_modules": "use"'
begin
server server.js "require('hello') === 'module'"
scripts '"start": "node server.js"' '"dependencies": { "hello": "1.0.0" }'
put node_modules/hello/index.js <<<'module.exports = "module"'
put node_modules/.bin/x <<<''
judged "node_modules of a zip" AC
equal "node_modules of a zip: nothing is installed" "node_modules of the archive" \
	"$(member '.stages.find(s => s.name === "deps").note')"
ln -s hello "$scratch/project/node_modules/linked"
server server.js "require('linked') === 'module'"
grade "$scratch/project" "$scratch/challenge"
equal "node_modules of a folder, links and all" AC "$(member .verdict)" "$(member .reason)"
finish
