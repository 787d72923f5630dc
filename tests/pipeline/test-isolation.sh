#!/bin/bash
# SPDX-License-Identifier: MIT
# What one submission must not do to its database's superuser, to the tests, or to the next student.
. "$(dirname "$0")/lib.sh"

# A copy of `correct` in $scratch/NAME.
copy_of_correct() {
	cp -r "$cars/submissions/correct" "$scratch/$1"
}

# ------------------------------------------------------- the database: its own and no other
copy_of_correct intruder
cat >"$scratch/intruder/src/server.js" <<'JS'
const { Client } = require('pg');
const own = new URL(process.env.DATABASE_URL);
const attempt = async (name, change) => {
	const url = new URL(own);
	change(url);
	const client = new Client({ connectionString: url.href });
	try {
		await client.connect();
		const r = await client.query('SELECT current_user, current_database()');
		console.log(`${name}: CONNECTED ${JSON.stringify(r.rows[0])}`);
		await client.end();
	} catch (e) {
		console.log(`${name}: refused: ${e.message}`);
	}
};
(async () => {
	await attempt('own', () => {});
	await attempt('superuser with the own password', (u) => { u.username = 'sandbox_admin'; });
	await attempt('superuser without a password', (u) => { u.username = 'sandbox_admin'; u.password = ''; });
	await attempt('the maintenance database', (u) => { u.pathname = '/sandbox_admin'; });
	await attempt('database postgres', (u) => { u.pathname = '/postgres'; });
	await attempt('database template1', (u) => { u.pathname = '/template1'; });
	for (const sql of ["COPY (SELECT 1) TO PROGRAM 'true'", 'CREATE ROLE r SUPERUSER',
			   'ALTER ROLE app SUPERUSER', "SELECT pg_read_file('/etc/passwd')",
			   'SET ROLE sandbox_admin', 'SET SESSION AUTHORIZATION sandbox_admin']) {
		const client = new Client({ connectionString: own.href });
		await client.connect();
		console.log(await client.query(sql).then(() => `${sql}: ALLOWED`, (e) => `${sql}: refused: ${e.message}`));
		await client.end();
	}
	console.log('done');
	process.exit(1);
})();
JS
grade "$scratch/intruder" "$cars/challenge"
log=$(cat "$scratch/log")
like "the app reaches its own database (the control)" 'own: CONNECTED' "$log"
for what in 'superuser with the own password' 'superuser without a password' \
	'the maintenance database' \
	'database postgres' 'database template1' "COPY \(SELECT 1\) TO PROGRAM 'true'" \
	'CREATE ROLE r SUPERUSER' \
	'ALTER ROLE app SUPERUSER' "SELECT pg_read_file\('/etc/passwd'\)" 'SET ROLE sandbox_admin' \
	'SET SESSION AUTHORIZATION sandbox_admin'; do
	like "refused: $what" "$what: refused" "$log"
done
like "all attempts were made" 'done' "$log"

# ---------------------------------------------- a planted postinstall, and the next student
# Root scripts, patches and configuration in a submission: none of them may enter the store's entry.
copy_of_correct planter
"$node" -e '
	const fs = require("fs"), file = process.argv[1] + "/package.json";
	const p = JSON.parse(fs.readFileSync(file));
	p.scripts = { ...p.scripts, preinstall: "echo planted > planted-pre",
		postinstall: "echo module.exports=1 > node_modules/express/planted.js; " +
			"echo planted > node_modules/planted",
		prepare: "echo planted > node_modules/planted" };
	fs.writeFileSync(file, JSON.stringify(p));
	fs.writeFileSync(process.argv[1] + "/.npmrc", "script-shell=/app/evil.sh\n" +
		"registry=http://127.0.0.1:1/\nignore-scripts=false\n");
' "$scratch/planter"
# A key that nobody has yet, so that the planter is the one whose install makes the entry.
own_store=$scratch/store
mkdir -m 700 "$own_store"
cp -a "$store/runtime" "$own_store/"
[ -d "$store/postgres" ] && cp -a "$store/postgres" "$own_store/"
shared_store=$store
store=$own_store
grade "$scratch/planter" "$cars/challenge"
equal "the planter itself is graded" AC "$(member .verdict)" "$(cat "$scratch/stderr")"
like "its install made the entry" 'npm ci' "$(member '.stages.find(s => s.name === "deps").note')"
equal "nothing planted is in the store" "" "$(find "$own_store/deps" -name 'planted*')"
check "the entry holds the packages (the control)" \
	test -n "$(find "$own_store/deps" -path '*/node_modules/express/package.json')"
copy_of_correct victim
cat >>"$scratch/victim/src/server.js" <<'JS'
for (const name of ['express/planted.js', 'planted']) {
	try { require('fs').accessSync('/app/node_modules/' + name); console.log(`PLANTED ${name}`); } catch {}
}
try { require('fs').writeFileSync('/app/node_modules/express/index.js', '//'); console.log('WRITABLE'); }
catch (e) { console.log(`node_modules: ${e.code}`); }
JS
grade "$scratch/victim" "$cars/challenge"
equal "the next student with the same lockfile is graded" AC "$(member .verdict)"
like "from the same entry" 'stored' "$(member '.stages.find(s => s.name === "deps").note')"
like "which is read-only" 'node_modules: EROFS' "$(cat "$scratch/log")"
equal "and holds nothing planted" "" "$(grep -E 'PLANTED|WRITABLE' "$scratch/log")"
store=$shared_store

# ------------------------------------------------------------- the hidden tests stay hidden
copy_of_correct spy
cat >>"$scratch/spy/src/server.js" <<'JS'
const fs = require('fs');
const walk = (dir, depth) => {
	let names = [];
	try { names = fs.readdirSync(dir, { withFileTypes: true }); } catch { return; }
	for (const e of names) {
		const path = dir === '/' ? '/' + e.name : dir + '/' + e.name;
		if (e.isDirectory() && depth < 6 && path !== '/proc') walk(path, depth + 1);
		else if (e.isFile() && /hurl/.test(e.name)) console.log(`FOUND ${path}`);
	}
};
walk('/', 0);
console.log('environment: ' + Object.keys(process.env).sort().join(' '));
console.log('walked');
JS
grade "$scratch/spy" "$cars/challenge"
like "the spy walked its jail" 'walked' "$(cat "$scratch/log")"
equal "and found no test" "" "$(grep FOUND "$scratch/log")"
equal "its environment is built, not inherited" "" \
	"$(SECRET_OF_THE_JUDGE=1; grep -E 'SECRET|SANDBOX|npm_config' "$scratch/log")"

# With names only, a failing test says nothing of what was expected.
sed 's/"reveal": *"messages"/"reveal": "names"/' "$cars/challenge/challenge.json" \
	>"$scratch/challenge.json"
mkdir "$scratch/names" && cp -r "$cars/challenge/tests" "$scratch/names/" &&
	mv "$scratch/challenge.json" "$scratch/names/"
grade "$cars/submissions/partial" "$scratch/names"
equal "reveal names: still PARTIAL" PARTIAL "$(member .verdict)"
like "reveal names: the name of a failed test is told" 'a deleted booking frees the car' \
	"$(cat "$scratch/stderr")"
equal "reveal names: nothing of what was expected" "" \
	"$(grep -iE 'expected|actual' "$scratch/stderr" "$scratch/result.json")"
finish
