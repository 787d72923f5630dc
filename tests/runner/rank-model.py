#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random contests, ranked three times: by scripts/rank.lua in Redis, to which the attempts are delivered in
any order, twice, and with rejudges; by standings() in the ledger; and by what is written here, which walks
through the attempts as they were submitted. All three must say the same.

rank-model.py REDIS-SOCKET SCRIPTS-FOLDER PSQL-URL SEED CONTESTS
"""
import random
import socket
import subprocess
import sys

NO_VERDICT = ('IE', 'CANCELLED', 'SUPERSEDED')
VERDICTS = ('AC', 'AC', 'WA', 'WA', 'PARTIAL', 'CE', 'BOOT', 'TLE', 'MLE', 'CRASH', 'SEC') + NO_VERDICT
TAIL = '''
for line in ARGV[1]:gmatch('[^\\n]+') do
	local v = {}
	for word in line:gmatch('%S+') do v[#v + 1] = word end
	rank_recompute({ id = v[1], rules = v[2], starts = v[3], ends = v[4], penalty = v[5], version = v[6] },
		{ student = v[7], id = v[8], rev = v[9], challenge = v[10], submitted = v[11], verdict = v[12],
		points = v[13] })
end
return 0
'''


class Redis:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile('rb')

    def send(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(w), w) for w in words))
        return self.receive()

    def receive(self):
        line = self.file.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b'-':
            raise SystemExit('Redis: ' + rest.decode())
        if kind == b'$':
            return None if rest == b'-1' else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b'*':
            return [self.receive() for _ in range(int(rest))]
        return int(rest) if kind == b':' else rest.decode()


class Attempt:
    def __init__(self, **members):
        self.__dict__.update(members)


def make_contest(rng, number):
    rules = rng.choice(('icpc', 'points'))
    starts = rng.choice((1700000000000, 1700000012345, 60000, 0))
    length = rng.choice((0, 1, 59999, 60000, 600000, 5 * 3600000, 40 * 86400000))
    penalty = rng.choice((0, 60, 1200, 7200) if rules == 'icpc' else (0, 7, 90, 1200))
    c = Attempt(id=f'c{number}', rules=rules, starts=starts, ends=starts + length, penalty=penalty, version=number)
    moments = [starts, starts - 1, c.ends, c.ends - 1, starts + 59999, starts + 60000, starts + 60001]
    moments += [starts + rng.randrange(length + 1) for _ in range(rng.randrange(6))]
    verdicts = VERDICTS
    if rng.randrange(2):  # ties: few moments, most solve
        moments = [starts + minute * 60000 for minute in range(5)]
        verdicts = ('AC', 'AC', 'AC', 'WA', 'CE')
    moments = [m for m in moments if m >= 0]
    c.attempts = []
    for i in range(rng.randrange(1, 30)):
        student, challenge, submitted = rng.choice('abcd'), rng.choice('xyz'), rng.choice(moments)
        for rev in range(1, rng.choice((1, 1, 1, 2, 3)) + 1):
            verdict = rng.choice(verdicts)
            points = rng.choice((0, 1, 500, 500, 999, 1000)) if verdict not in NO_VERDICT else 0
            c.attempts.append(Attempt(id=f'c{number}-s{i}', rev=rev, student=f'{number}-{student}', challenge=challenge,
                                      submitted=submitted, verdict=verdict, points=points))
    return c


def model(c):
    """{student: (rank, solved, points, penalty_s, last_ms)}"""
    newest = {}
    for a in c.attempts:
        if a.verdict not in NO_VERDICT and (a.id not in newest or newest[a.id].rev < a.rev):
            newest[a.id] = a
    boards = {}
    for a in sorted(newest.values(), key=lambda a: a.submitted):
        if c.starts <= a.submitted < c.ends and a.verdict != 'CE':
            boards.setdefault(a.student, {}).setdefault(a.challenge, []).append(a)
    rows = {student: model_row(c, board) for student, board in boards.items()}
    keys = {student: model_key(c, row) for student, row in rows.items()}
    return {s: (1 + sum(k < keys[s] for k in keys.values()),) + rows[s] for s in rows}


def model_row(c, board):
    solved = points = penalty = last = 0
    for attempts in board.values():
        solved += any(a.verdict == 'AC' for a in attempts)
        points += max(a.points for a in attempts)
        best, cost = None, None
        for i, a in enumerate(attempts):
            tried = sum(b.submitted < a.submitted for b in attempts[:i])
            if c.rules == 'icpc' and best is None and a.verdict == 'AC':
                best, cost = a, (a.submitted - c.starts) // 60000 * 60 + tried * c.penalty
            if c.rules == 'points' and a.points > (best.points if best else 0):
                best, cost = a, (a.submitted - c.starts) // 1000 + tried * c.penalty
        if best:
            penalty += cost
            last = max(last, best.submitted)
    return solved, points, penalty, last


def model_key(c, row):
    solved, points, penalty, last = row
    if c.rules == 'icpc':
        return -solved, penalty, (last - c.starts) // 60000 if last else 0
    return -points, penalty


def deliver(redis, sha, rng, c):
    """In any order, some twice; the order of the judgements of one submission as well."""
    deliveries = c.attempts + rng.sample(c.attempts, len(c.attempts) // 3)
    rng.shuffle(deliveries)
    redis.send('EVALSHA', sha, 1, '{q}', '\n'.join(
        f'{c.id} {c.rules} {c.starts} {c.ends} {c.penalty} {c.version} {a.student} {a.id} {a.rev} {a.challenge} '
        f'{a.submitted} {a.verdict} {a.points}' for a in deliveries))


def read_redis(redis, sha, c):
    flat = redis.send('EVALSHA', sha, 1, '{q}', c.id, 0, 1000)[1:]
    lines = [flat[i:i + 7] for i in range(0, len(flat), 7)]
    return {line[1]: tuple(map(int, [line[0]] + line[2:6])) for line in lines}


def fill_ledger(url, contests):
    def at(ms):
        return f"'epoch'::timestamptz + {ms // 86400000} * interval '24 hours' + {ms % 86400000} * interval '1 ms'"
    sql = ['SET timezone = UTC; BEGIN;',
           'INSERT INTO sandbox.contest (id, rules, starts_at, ends_at, penalty_s) VALUES',
           ',\n'.join(f"('{c.id}', '{c.rules}', {at(c.starts)}, {at(c.ends)}, {c.penalty})" for c in contests),
           ';INSERT INTO sandbox.result (submission, judge_rev, student, contest, challenge, attempt, submitted_at,'
           ' verdict, passed, total, points, max_points, archive_sha256, tests_sha256, worker, result) VALUES',
           ',\n'.join(f"('{a.id}', {a.rev}, '{a.student}', '{c.id}', '{a.challenge}', 1, {at(a.submitted)},"
                      f" '{a.verdict}', 0, 1, {a.points}, 1000, '', '', 'w', '{{}}')"
                      for c in contests for a in c.attempts),
           '; COMMIT; ANALYZE sandbox.result, sandbox.contest;']
    psql(url, '\n'.join(sql))


def read_ledger(url):
    out = psql(url, '''SELECT c.id, s.student, s.rank, s.solved, s.points, s.penalty_s,
        coalesce(round(extract(epoch FROM s.last_at) * 1000)::bigint, 0)
        FROM sandbox.contest c, sandbox.standings(c.id) s''')
    standings = {}
    for line in out.splitlines():
        contest, student, *numbers = line.split('|')
        standings.setdefault(contest, {})[student] = tuple(map(int, numbers))
    return standings


def psql(url, sql):
    return subprocess.run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', url], input=sql, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def script(folder, *names):
    return '\n'.join(open(f'{folder}/{name}.lua').read() for name in names)


def main():
    path, folder, url, seed, count = sys.argv[1:]
    rng = random.Random(int(seed))
    redis = Redis(path)
    contests = [make_contest(rng, i) for i in range(1, int(count) + 1)]
    take = redis.send('SCRIPT', 'LOAD', script(folder, 'common', 'rank') + TAIL)
    show = redis.send('SCRIPT', 'LOAD', script(folder, 'common', 'rank-read'))
    for c in contests:
        deliver(redis, take, rng, c)
    fill_ledger(url, contests)
    ledger = read_ledger(url)
    wrong = lines = 0
    for c in contests:
        expected, by_redis, by_ledger = model(c), read_redis(redis, show, c), ledger.get(c.id, {})
        lines += len(expected)
        if expected == by_redis == by_ledger:
            continue
        wrong += 1
        if wrong < 4:
            print('contest', {k: v for k, v in vars(c).items() if k != 'attempts'})
            for a in c.attempts:
                print('  ', vars(a))
            print('model ', expected, 'redis ', by_redis, 'ledger', by_ledger, sep='\n')
    print(f'{len(contests)} contests, {"many" if lines > len(contests) else lines} lines, {wrong} wrong')


if __name__ == '__main__':
    main()
