#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a fleet is given to judge: challenges, archives, and who hands in what. Everything follows from a
seed. Each kind of submission has the one verdict that it must get.

fleet-plan.py FOLDER SEED SUBMISSIONS PORT [KIND-TO-LEAVE-OUT...]
writes FOLDER/challenges, FOLDER/archives and FOLDER/plan.json. PORT is that of fleet-zips.py.
"""
import io
import json
import os
import random
import sys
import zipfile

STUDENTS = 60
FLOOD = 5  # one submission of that many is of the student who floods
CONTESTS = ('cup', 'pts')

TESTS = '''
# @test says hello
GET {{base}}/hello
HTTP 200
[Asserts]
body == "hello"

# @test gives back what it got
# @points 2
POST {{base}}/echo
{ "n": 17 }
HTTP 200
[Asserts]
jsonpath "$.n" == 17

# @test does not know everything
GET {{base}}/other
HTTP 404
'''

STORED_TESTS = '''
# @test keeps what it is given
POST {{base}}/words
`kept`
HTTP 201

GET {{base}}/words
HTTP 200
[Asserts]
body == "kept"

# @test answers a second time
GET {{base}}/words
HTTP 200
'''

SERVER = '''
const http = require('node:http');
http.createServer((req, res) => {
	let body = '';
	req.on('data', (d) => body += d);
	req.on('end', () => {
		%s
		res.statusCode = 404;
		res.end();
	});
}).listen(process.env.PORT);
'''
HELLO = "if (req.url === '/hello') return res.end('hello');"
ECHO = "if (req.url === '/echo') return res.end(body);"

# A client of Postgres by hand, so that no package has to be installed.
STORED = '''
const http = require('node:http'), net = require('node:net');
const url = new URL(process.env.DATABASE_URL);
const message = (type, text) => {
	const b = Buffer.from(type + '\\0\\0\\0\\0' + text, 'latin1');
	b.writeInt32BE(b.length - type.length, type.length);
	return b;
};
const ask = (sql) => new Promise((resolve, reject) => {
	let got = '', asked = false;
	const s = net.connect(Number(url.port), url.hostname, () => s.write(message('',
		`\\0\\x03\\0\\0user\\0${url.username}\\0database\\0${url.pathname.slice(1)}\\0\\0`)));
	s.on('error', reject);
	s.on('data', (data) => {
		got += data.toString('latin1');
		if (!got.endsWith('Z\\0\\0\\0\\x05I')) return;
		if (asked) {
			const row = /D\\0\\0\\0.\\0\\x01\\0\\0\\0.([a-z]*)/.exec(got);
			s.destroy();
			return resolve(row ? row[1] : '');
		}
		asked = true;
		got = '';
		s.write(message('Q', sql + '\\0'));
	});
});
http.createServer((req, res) => {
	let body = '';
	req.on('data', (d) => body += d);
	req.on('end', async () => {
		if (req.method === 'POST') {
			await ask(`INSERT INTO words VALUES ('${body.trim()}')`);
			res.statusCode = 201;
			return res.end();
		}
		res.end(await ask('SELECT word FROM words'));
	});
}).listen(process.env.PORT);
'''
def server(*routes):
    return {'server.js': SERVER % '\n'.join(routes)}


def program(text):
    return {'server.js': text}


def archive(files, damage=None):
    """A zip of what the student has written; `damage`: what he has not."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, text in files.items():
            z.writestr(name, text)
    data = out.getvalue()
    return damage(data) if damage else data


def bomb():
    return archive({'server.js': 'x', 'zeros': bytes(24 << 20)})


def central_directory_lies(data):
    return data.replace(b'PK\x01\x02', b'PK\x01\x03')


# kind: (how many of 300, challenge, verdict, archive; None: an URL of fleet-zips.py that has none)
KINDS = {
    'good': (0, 'plain', 'AC', lambda: archive(server(HELLO, ECHO))),
    'partial': (40, 'plain', 'PARTIAL', lambda: archive(server(HELLO))),
    'wrong': (16, 'plain', 'WA', lambda: archive(server('res.end("what?"); return;'))),
    'stored': (12, 'stored', 'AC', lambda: archive({
        **program(STORED), 'migrations/1.sql': 'CREATE TABLE words (word text);'})),
    'unstored': (3, 'stored', 'CE', lambda: archive({
        **program(STORED), 'migrations/1.sql': 'CREATE TABLE words (word txet);'})),
    'throws': (10, 'plain', 'BOOT', lambda: archive(program('throw new Error("no");'))),
    'ends': (5, 'plain', 'BOOT', lambda: archive(program(''))),
    'silent': (3, 'short', 'BOOT', lambda: archive(program('setInterval(() => {}, 1000);'))),
    'loop': (5, 'loops', 'TLE', lambda: archive(program('for (;;);'))),
    'forks': (4, 'plain', 'PLE', lambda: archive(program(
        'for (let i = 0; i < 64; i++) require("node:child_process").spawn("sleep", ["600"]);'))),
    'eats': (4, 'plain', 'MLE', lambda: archive(program(
        'const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1));'))),
    'prints': (4, 'plain', 'OLE', lambda: archive(program(
        'const line = "x".repeat(1 << 16); for (;;) require("node:fs").writeSync(1, line);'))),
    'bomb': (4, 'plain', 'CE', bomb),
    'cut': (6, 'plain', 'CE', lambda: archive(server(HELLO), lambda data: data[:len(data) // 2])),
    'lies': (4, 'plain', 'CE', lambda: archive(server(HELLO), central_directory_lies)),
    'text': (4, 'plain', 'CE', lambda: b'this is no zip\n'),
    'empty': (3, 'plain', 'CE', lambda: b''),
    'climbs': (4, 'plain', 'CE', lambda: archive({'../../etc/cron.d/x': 'x', 'server.js': 'x'})),
    'gone': (6, 'plain', 'CE', None),
    'large': (3, 'plain', 'CE', None),
    'endless': (2, 'plain', 'CE', None),
    'changed': (3, 'plain', 'SUPERSEDED', lambda: archive(server(HELLO, ECHO))),
    'flaky': (4, 'plain', 'AC', lambda: archive(server(HELLO, ECHO))),
    'forbidden': (3, 'plain', 'IE', None),
    'refused': (2, 'plain', 'IE', None),
    'failing': (2, 'plain', 'IE', None),
    'stalls': (2, 'plain', 'IE', None),
}
CHEAP = ('good', 'partial', 'wrong', 'throws', 'cut', 'text', 'gone')
PLAIN = ('plain', 'plain2', 'plain3')  # the same under several names: a contest has several challenges


def write_challenge(folder, name, tests, **members):
    os.makedirs(f'{folder}/challenges/{name}/tests')
    challenge = {'title': name, 'tests': ['tests/*.hurl'], 'port': 8000, 'reveal': 'names', **members}
    with open(f'{folder}/challenges/{name}/challenge.json', 'w') as f:
        json.dump(challenge, f)
    with open(f'{folder}/challenges/{name}/tests/1.hurl', 'w') as f:
        f.write(tests)


def write_challenges(folder):
    limits = {'memory': '128M', 'disk': '16M', 'boot': '60s', 'tests': '60s', 'pids': 32}
    for name in PLAIN:
        write_challenge(folder, name, TESTS, limits=limits)
    write_challenge(folder, 'stored', STORED_TESTS, limits=limits, database='postgres')
    write_challenge(folder, 'short', TESTS, limits={**limits, 'boot': '1s'})
    write_challenge(folder, 'loops', TESTS, limits={**limits, 'cpu_time': '400ms'})


def url_of(kind, port, i):
    web = f'http://127.0.0.1:{port}'
    return {
        'gone': f'{web}/status/{404 if i % 3 else 410}',
        'large': f'{web}/large',
        'endless': f'{web}/endless',
        'flaky': f'{web}/flaky/{i}/flaky.zip',
        'forbidden': f'http://127.0.0.2:{port}/good.zip',
        'refused': 'http://127.0.0.1:1/good.zip',
        'failing': f'{web}/status/503',
        'stalls': f'{web}/stalls',
    }.get(kind) or (f'file:///{kind}.zip' if i % 5 == 0 else f'{web}/{kind}.zip')


def choose_kinds(rng, n, left_out):
    kinds = [k for k, (of_300, *_) in KINDS.items() if k not in left_out
             for _ in range(max(of_300 * n // 300, 1 if of_300 else 0))]
    kinds += ['good'] * (n - len(kinds))
    rng.shuffle(kinds)
    return kinds


def make_submissions(rng, n, port, left_out, now):
    kinds = choose_kinds(rng, n, left_out)
    # the flood: what is judged fast, since it comes one after the other
    flood = [k for k in kinds if k in CHEAP][:n // FLOOD]
    for kind in flood:
        kinds.remove(kind)
    owners = ['flood'] * len(flood) + [f's{i % (STUDENTS - 1):02}' for i in range(len(kinds))]
    times, submissions = {}, []
    for i, (kind, student) in enumerate(zip(flood + kinds, owners)):
        _, challenge, verdict, _ = KINDS[kind]
        if challenge == 'plain':
            challenge = rng.choice(PLAIN)
        # One contest for each student; now and then practice, which is not ranked, by the command.
        contest = CONTESTS[hash_of(student) % 2]
        if (not rng.randrange(10) and kind not in ('changed', 'flaky') and student != 'flood'
                and (student, challenge, '') not in times):
            contest = ''
        # Mostly within the window (make_contests), some on its edges. A later submission has an earlier
        # time: so none takes the place of another that waits.
        at = times.get((student, challenge, contest), now - rng.randrange(3500_000))
        times[student, challenge, contest] = at - rng.choice((1, 1000, 60_000, 600_000, rng.randrange(1, 9_000_000)))
        submission = {'id': f'{kind}-{i:03}', 'student': student, 'contest': contest, 'challenge': challenge,
                      'url': url_of(kind, port, i), 'submitted_at': at}
        if kind == 'changed':
            submission['sha256'] = '0' * 64
        submissions.append({'kind': kind, 'verdict': verdict, 'way': 'list' if contest else 'submit',
                            'payload': submission})
    return submissions


def hash_of(student):
    return sum(student.encode())


def make_contests(now):
    """In the past, so that some submissions come too late and others too early."""
    hour = 3600_000
    return [{'id': 'cup', 'rules': 'icpc', 'starts': now - 4 * hour, 'ends': now - hour // 2, 'penalty': 1200},
            {'id': 'pts', 'rules': 'points', 'starts': now - 4 * hour + 1, 'ends': now - hour // 3, 'penalty': 90}]


def main():
    folder, seed, n, port, *left_out = sys.argv[1:]
    rng = random.Random(int(seed))
    # no clock: times are of the plan, which is the same for the same seed
    now = 1_700_000_000_000
    write_challenges(folder)
    os.makedirs(f'{folder}/archives')
    for kind, (_, _, _, made) in KINDS.items():
        if made:
            with open(f'{folder}/archives/{kind}.zip', 'wb') as f:
                f.write(made())
    plan = {'seed': int(seed), 'contests': make_contests(now),
            'submissions': make_submissions(rng, int(n), port, left_out, now)}
    with open(f'{folder}/plan.json', 'w') as f:
        json.dump(plan, f, indent=1)


if __name__ == '__main__':
    main()
