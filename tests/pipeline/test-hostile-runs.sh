#!/bin/bash
# SPDX-License-Identifier: MIT
# Submissions that attack what is beside them: the database's other roles, the statements of hidden
# tests, the place of the server, the terminal of whoever grades.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

app=$scratch/app
challenge=$scratch/challenge

fresh() { # CHALLENGE-MEMBERS: an empty submission and a challenge without tests
	rm -rf "$app" "$challenge"
	mkdir -p "$app" "$challenge/tests"
	cat >"$challenge/challenge.json" <<-END
		{ "title": "t", "tests": ["tests/*.hurl"], "port": 8000, "reveal": "messages"$1 }
	END
	echo '{ "scripts": { "start": "node server.js" } }' >"$app/package.json"
}

test_file() { # NAME ASSERT-OR-PRAGMA...
	printf '%s\n' "${@:2}" >"$challenge/tests/$1.hurl"
}

# What a build leaves behind is not the server.
fresh ', "limits": { "boot": "2s" }'
echo '{ "scripts": { "build": "node build.js", "start": "node server.js" } }' >"$app/package.json"
cat >"$app/build.js" <<'END'
const child = require('child_process').spawn(process.execPath, ['left.js'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
child.stdout.on('data', () => process.exit(0));
END
cat >"$app/left.js" <<'END'
require('http').createServer((q, s) => s.end('left')).listen(8000, () => console.log('listens'));
END
echo 'setInterval(() => {}, 1000);' >"$app/server.js"
test_file one 'GET http://127.0.0.1:8000/' 'HTTP 200'
grade "$app" "$challenge"
equal "a server that the build left is not judged" BOOT "$(member .verdict)"

# Statements of tests, and what the database refuses.
fresh ', "database": "postgres"'
cat >"$app/server.js" <<'END'
const net = require('net'), http = require('http');
const message = (type, text) => {
	const b = Buffer.from(type + '\0\0\0\0' + text, 'latin1');
	b.writeInt32BE(b.length - type.length, type.length);
	return b;
};
// A session by hand: its first error, or all that SQL gives.
const session = (user, database, sql) => new Promise((resolve) => {
	let got = '', asked = false;
	const s = net.connect(5432, '127.0.0.1', () => s.write(message('', `\0\x03\0\0user\0${user}\0database\0${database}\0\0`)));
	s.on('data', (data) => {
		got += data.toString('latin1');
		const refused = /C([0-9A-Z]{5})\0M/.exec(got);
		if (refused || (asked && got.endsWith('Z\0\0\0\x05I'))) {
			resolve(refused ? refused[1] : got);
			s.destroy();
		} else if (got.endsWith('Z\0\0\0\x05I')) {
			asked = true;
			got = '';
			s.write(message('Q', sql + '\0'));
		}
	});
	s.on('error', (e) => resolve(e.code));
});
let seen = '';
(async () => {
	await session('app', 'app', 'CREATE FUNCTION f() RETURNS SETOF int LANGUAGE plpgsql AS ' +
		'$$ BEGIN PERFORM pg_sleep(0.5); RETURN NEXT 42; END $$; CREATE VIEW items AS SELECT f() AS x');
	const look = async () => {
		seen += await session('app', 'app', 'SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
		setTimeout(look, 20);
	};
	look();
	http.createServer(async (request, response) => {
		const [, user, database] = request.url.split('/');
		response.end(user ? await session(user, database, 'SELECT 1') : seen.includes('secret') ? 'seen' : 'blind');
	}).listen(8000);
})();
END
test_file snoop "# @sql SELECT x FROM items WHERE 'secret' <> '' => 42" \
	'GET http://127.0.0.1:8000/' 'HTTP 200' '`blind`'
expect() { # ROLE DATABASE SQLSTATE
	test_file "$1-$2" "GET http://127.0.0.1:8000/$1/$2" 'HTTP 200' "\`$3\`"
}
expect sandbox_admin app 28000
expect sandbox_admin sandbox_admin 28000
expect pg_monitor app 28000
expect app template1 42501
expect app sandbox_admin 42501
expect app template0 55000
grade "$app" "$challenge"
equal "what tests ask the database is not told, and no other role or database is open" AC \
	"$(member .verdict)" \
	"$(tail -30 "$scratch/stderr")"

# Texts of a submission wherever they are shown.
fresh ', "database": "postgres"'
"$node" - "$app" <<'END'
const fs = require('fs'), app = process.argv[2] + '/';
const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e<img src=x onerror=alert(1)>\b';
fs.writeFileSync(app + 'package.json', JSON.stringify({ name: evil, version: evil, engines: { node: evil },
	scripts: { start: 'node server.js' } }));
fs.writeFileSync(app + '.env', `DATABASE_URL=postgres://u${evil}:p@h/n\nDB_NAME=a"; DROP DATABASE app; --\nDB_USER=$(id)\nDB_HOST=${evil}\n`);
fs.writeFileSync(app + 'server.js', `const evil = ${JSON.stringify(evil)}; console.log(evil);
require('http').createServer((q, s) => { if (q.url === '/end') throw new Error(evil); s.end(JSON.stringify({ evil })); }).listen(8000);`);
END
test_file a 'GET http://127.0.0.1:8000/' 'HTTP 200' '[Asserts]' 'jsonpath "$.evil" == "good"'
test_file b 'GET http://127.0.0.1:8000/end' 'HTTP 200'
grade "$app" "$challenge" --report "html=$scratch/r.html" --report "junit=$scratch/r.xml" \
	--report "ctrf=$scratch/r.ctrf" --report "tap=$scratch/r.tap"
equal "its crash is told" CRASH "$(member .verdict)" "$(tail -5 "$scratch/stderr")"
for file in stderr result.json r.html r.xml r.ctrf r.tap; do
	equal "$file has no control character" 0 \
		"$(LC_ALL=C grep -acP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' \
			"$scratch/$file")"
done
equal "nor has a page an element of the submission" 0 \
	"$(cat "$scratch/r.html" "$scratch/r.xml" | grep -c '<img')"

# It takes a server with many sockets a while to end, and its listener is closed last.
fresh ''
cat >"$app/server.js" <<'END'
const http = require('http'), net = require('net');
let open = 0;
http.createServer((q, s) => {
	if (q.url === '/end')
		process.exit(7);
	s.setHeader('Connection', 'close');
	s.statusCode = open === 3000 ? 200 : 503;
	s.end();
}).listen(8000, () => {
	for (let i = 0; i < 3000; i++)
		net.createServer().listen(0, () => open++);
});
END
test_file a 'GET http://127.0.0.1:8000/' '[Options]' 'retry: 500' 'retry-interval: 20ms' 'HTTP 200'
test_file b 'GET http://127.0.0.1:8000/end' 'HTTP 200'
grade "$app" "$challenge"
equal "a server that has much to close ended all the same" CRASH "$(member .verdict)" \
	"$(tail -5 "$scratch/stderr")"

finish
