// What a submission may try against its database on a server that others use; each line that it
// prints is "NAME: what came of it". It listens last, so that all of it happens before the tests.
const { Client } = require('pg');

const connect = async (options) => {
	const client = new Client({ host: '127.0.0.1', connectionTimeoutMillis: 5000, ...options });
	client.on('error', () => {});
	await client.connect();
	return client;
};
const cancel = (pid, key) => new Promise((done) => {
	const bytes = Buffer.alloc(16);
	[16, 80877102, pid, key].forEach((n, i) => bytes.writeInt32BE(n, 4 * i));
	const socket = require('net').connect(5432, '127.0.0.1', () => socket.write(bytes));
	socket.on('error', () => {}).on('close', done).resume();
});
// A client that asks for TLS, says who it is, and has gone when it is answered.
const leave = () => new Promise((done) => {
	const startup = Buffer.from('\0\0\0\x1e\0\x03\0\0user\0me\0database\0x\0\0\0', 'latin1');
	startup.writeInt32BE(startup.length - 1, 0);
	const socket = require('net').connect(5432, '127.0.0.1', () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
	socket.on('error', done).on('close', done).once('data', () => {
		const secure = require('tls').connect({ socket, rejectUnauthorized: false }, () =>
			secure.write(startup.subarray(0, -1), () => socket.destroy()));
		secure.on('error', done);
	});
});
const say = (name, text) => console.log(`${name}: ${text}`);
const code = async (name, promise) =>
	say(name, await promise.then((r) => 'ok ' + JSON.stringify(r?.rows?.[0] ?? {}), (e) => e.code ?? e.message));

(async () => {
	const own = await connect({ connectionString: process.env.DATABASE_URL });
	const as = 'SELECT current_user AS u, session_user AS s, current_database() AS d';
	const me = (await own.query(as)).rows[0];
	say('one name', me.u === me.s && /^sbx_[0-9a-f]{16}_[0-9a-f]{16}$/.test(me.u));

	// D03, D33: whatever is asked for, it is the same role and database, and no password is tried.
	for (const [user, database, password] of [
		['postgres', 'postgres', 'postgres'], ['postgres', 'template1', ''], ['x"; DROP ROLE "y', 'a\'b\nc%s', 'x'],
	]) {
		const c = await connect({ user, database, password });
		const r = (await c.query(as)).rows[0];
		say(`pinned ${user.slice(0, 8)}/${database.slice(0, 9)}`.replace(/\n/g, ' '), r.u === me.u && r.d === me.d);
		await c.end();
	}
	const guesses = await Promise.all(Array.from({ length: 10 }, (_, i) =>
		connect({ user: 'postgres', database: 'postgres', password: String(i) })));
	for (const c of guesses) await c.end();

	// D01, D04, D05, D16, D18, D30, D31
	await code('superuser', own.query('SET SESSION AUTHORIZATION postgres'));
	await code('set role', own.query('SET ROLE postgres'));
	await code('reset role', own.query('RESET ROLE; ' + as).then((r) => ({ rows: [{ same: r[1].rows[0].u === me.u }] })));
	await code('copy program', own.query("COPY (SELECT 1) TO PROGRAM 'id'"));
	await code('read file', own.query("SELECT pg_read_file('/etc/passwd')"));
	await code('import file', own.query("SELECT lo_import('/etc/passwd')"));
	await code('untrusted extension', own.query('CREATE EXTENSION dblink'));
	await code('trusted extension', own.query('CREATE EXTENSION IF NOT EXISTS citext'));
	await code('create role', own.query('CREATE ROLE another LOGIN SUPERUSER'));
	await code('create database', own.query('CREATE DATABASE another'));
	await code('rename database', own.query(`ALTER DATABASE "${me.d}" RENAME TO another`));
	await code('comment', own.query(`COMMENT ON DATABASE "${me.d}" IS 'x'`));
	await code('language C', own.query("CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x', 'f'"));
	await code('subscription', own.query("CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p"));
	await code('more temporary files', own.query("SET temp_file_limit = '10GB'"));
	await code('more connections', own.query(`ALTER ROLE "${me.u}" CONNECTION LIMIT 1000`));
	await code('log', own.query("SET log_min_messages = 'debug5'"));
	await code('end others', own.query('SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE usename <> current_user'));
	await code('own schema is public', own.query("SELECT nspowner = current_user::regrole AS own FROM pg_namespace WHERE nspname = 'public'"));

	// Much of it, in both directions, in the clear and over TLS.
	for (const ssl of [false, { rejectUnauthorized: false }]) {
		const c = await connect({ ssl });
		const r = await c.query('SELECT length($1) AS l, repeat($2, 1000000) AS t', ['x'.repeat(5000000), 'abcde']);
		say(`much ${ssl ? 'over TLS' : 'in the clear'}`,
			r.rows[0].l === 5000000 && r.rows[0].t === 'abcde'.repeat(1000000));
		await c.end();
	}

	for (let i = 0; i < 30; i++) await leave();
	await code('after those who left', own.query('SELECT 1 AS one'));

	// Its role is named in nobody else's database, but others' roles can be named here.
	const others = (await own.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'sbx_%' AND rolname <> current_user")).rows;
	await own.query('CREATE TABLE t (x int)');
	for (const { rolname } of others) await own.query(`GRANT SELECT ON t TO "${rolname}"`);
	say('others named', others.length);

	// D08: accepted, as nothing can forbid it.
	await code('work_mem', own.query("SET work_mem = '2000GB'"));

	// D11
	for (let i = 0; i < 12; i++)
		await own.query(Array.from({ length: 100 }, (_, k) => `CREATE TABLE many_${i}_${k} (a int)`).join(';'));
	await code('1200 tables', own.query("SELECT count(*)::int AS n FROM pg_tables WHERE tablename LIKE 'many_%'"));

	// D12: sessions that are never closed.
	let n = 0, refused = '';
	const leaked = [];
	for (; n < 40 && !refused; n++)
		await connect({}).then((c) => leaked.push(c), (e) => { refused = e.code ?? e.message; });
	say('sessions', `${refused} ${leaked.length >= 10 && leaked.length < 20}`);

	// A request to cancel reaches one's own statement, and needs its key.
	const asleep = (ms) => leaked[0].query(`SELECT pg_sleep(${ms / 1000})`).then(() => 'slept', (e) => e.code);
	const whole = asleep(300);
	await cancel(leaked[0].processID, leaked[0].secretKey ^ 1);
	say('cancelled with another key', await whole);
	const cut = asleep(60000);
	await cancel(leaked[0].processID, leaked[0].secretKey);
	say('cancelled', await cut);

	// D09, D10: what goes on while the database is dropped.
	own.query('BEGIN; LOCK TABLE t; SELECT pg_sleep(1000)').catch(() => {});
	leaked[2].query('SET statement_timeout = 0').then(() => leaked[2].query(
		'DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1000); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$')).catch(() => {});
	leaked[3].query("BEGIN; LISTEN a; NOTIFY a, 'x'").catch(() => {});

	// D16: later logins fail, and that is its own fault.
	await leaked[4].query(`ALTER ROLE "${me.u}" PASSWORD 'mine'`);
	await leaked.pop().end();
	await code('own password', connect({}));

	require('http').createServer((req, res) => res.end('{}')).listen(process.env.PORT);
})().catch((e) => { console.log('failed:', e); process.exit(1); });
