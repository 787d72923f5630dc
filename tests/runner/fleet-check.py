#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What must be true when a fleet has judged all of a plan (fleet-plan.py); prints TAP.

fleet-check.py FOLDER REDIS-SOCKET PSQL-URL CAP [LEASE-MS KILLS]

CAP is how many submissions of one student may run at once. With KILLS, a file of JSON lines that tells of
each kill and outage, attempts may be more than expected, and lost ones must have come back in time.
"""
import importlib.util
import json
import os
import sys

sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location('rank_model', os.path.join(os.path.dirname(__file__), 'rank-model.py'))
rank_model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rank_model)

P = 'sbx:{q}:'
RETRY_MS = (1000, 5000, 25000)
# Kinds whose archive does not come for a reason of ours, and how often it is asked for.
ATTEMPTS = {'flaky': 2, 'refused': 3, 'failing': 3, 'stalls': 3}

# A third way to the standings, next to standings() of the ledger and to the scripts in Redis.
BOARD = '''
WITH newest AS (
  SELECT r.* FROM sandbox.result r WHERE r.contest = '{id}' AND r.verdict NOT IN ('IE', 'CANCELLED', 'SUPERSEDED')
  AND NOT EXISTS (SELECT FROM sandbox.result o WHERE o.submission = r.submission AND o.judge_rev > r.judge_rev
    AND o.verdict NOT IN ('IE', 'CANCELLED', 'SUPERSEDED'))
), counted AS (
  SELECT student, challenge, verdict, points, round(extract(epoch FROM submitted_at) * 1000)::bigint AS ms
  FROM newest JOIN sandbox.contest c ON c.id = newest.contest
  WHERE verdict <> 'CE' AND submitted_at >= c.starts_at AND submitted_at < c.ends_at
), best AS (
  SELECT student, challenge, bool_or(verdict = 'AC') AS solved, max(points) AS points,
    min(ms) FILTER (WHERE verdict = 'AC') AS accepted FROM counted GROUP BY 1, 2
), reached AS (
  SELECT b.*, CASE WHEN '{rules}' = 'icpc' THEN accepted WHEN points > 0 THEN (SELECT min(a.ms) FROM counted a
    WHERE a.student = b.student AND a.challenge = b.challenge AND a.points = b.points) END AS at FROM best b
), costs AS (
  SELECT r.*, (r.at - {starts}) / {unit} * {unit} / 1000 + {penalty} * (SELECT count(*) FROM counted a
    WHERE a.student = r.student AND a.challenge = r.challenge AND a.ms < r.at) AS cost FROM reached r
), sums AS (
  SELECT student, count(*) FILTER (WHERE solved) AS solved, sum(points) AS points, coalesce(sum(cost), 0) AS penalty,
    coalesce(max(at), 0) AS last FROM costs GROUP BY 1
)
SELECT rank() OVER (ORDER BY {order}), student, solved, points, penalty, last FROM sums
'''
ORDER = {'icpc': 'solved DESC, penalty, CASE WHEN last = 0 THEN 0 ELSE (last - {starts}) / 60000 END',
         'points': 'points DESC, penalty'}

results = []


def check(name, wrong):
    """`wrong`: a list of what is not as it should be."""
    results.append(not wrong)
    print(f'{"not ok" if wrong else "ok"} {len(results)} - {name}')
    for line in wrong[:12]:
        print('#', line)
    if len(wrong) > 12:
        print(f'# and {len(wrong) - 12} more')


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def rows_of(url, sql):
    return [line.split('|') for line in rank_model.psql(url, sql).splitlines()]


def states_of(redis, submission):
    """[(ms, 'queued' | 'running' | 'done AC')...], as its live log tells them."""
    out = []
    for entry, flat in redis.send('XRANGE', f'{P}log:{submission}', '-', '+'):
        fields = pairs(flat)
        if fields['kind'] == 'state':
            out.append((int(entry.split('-')[0]), fields['text']))
    return out


# ------------------------------------------------------------------- results

def check_results(redis, url, wanted):
    rows = {}
    for submission, rev, verdict, passed, total, points in rows_of(
            url, 'SELECT submission, judge_rev, verdict, passed, total, points FROM sandbox.result'):
        rows.setdefault(submission, []).append((rev, verdict, passed, total, points))
    events = {}
    for _, flat in redis.send('XRANGE', P + 'results', '-', '+'):
        e = pairs(flat)
        events.setdefault(e['id'], []).append(tuple(e[k] for k in ('rev', 'verdict', 'passed', 'total', 'points')))
    check('each submission has exactly one result in the ledger', [
        f'{i} has {len(rows.get(i, []))}: {rows.get(i)}' for i in sorted(wanted.keys() | rows.keys())
        if len(rows.get(i, [])) != 1 or i not in wanted])
    check('and exactly one event in the stream', [
        f'{i} has {len(events.get(i, []))}: {events.get(i)}' for i in sorted(wanted.keys() | events.keys())
        if len(events.get(i, [])) != 1 or i not in wanted])
    check('which say the same', [f'{i}: {rows[i]} and {events.get(i)}' for i in sorted(rows) if rows[i] != events.get(i)])
    check('each kind has the verdict that it must have', [
        f'{i}: {rows[i][0][1]} instead of {s["verdict"]}' for i, s in sorted(wanted.items())
        if i in rows and rows[i][0][1] != s['verdict']])
    dead = [pairs(flat)['id'] for _, flat in redis.send('XRANGE', P + 'dead', '-', '+')
            if pairs(flat)['kind'] == 'job']
    check('whoever could not be judged is a dead letter, once', [
        f'{i}: {dead.count(i)}' for i in sorted(wanted.keys() | set(dead))
        if dead.count(i) != (i in rows and rows[i][0][1] == 'IE')])


def check_attempts(history, wanted):
    check('nothing was judged more often than it had to be', [
        f'{i} was claimed {n} times' for i, s in sorted(wanted.items())
        for n in [sum(text == 'running' for _, text in history[i])] if n != ATTEMPTS.get(s['kind'], 1)])


# ---------------------------------------------------------------------- rank

def board_of_redis(redis, contest):
    flat = redis.send('ZRANGE', f'{P}lb:{contest}', 0, -1, 'WITHSCORES')
    scores = {student: float(score) for student, score in zip(flat[::2], flat[1::2])}
    board = {}
    for student, score in scores.items():
        row = pairs(redis.send('HGETALL', f'{P}row:{contest}/{student}'))
        board[student] = (1 + sum(s > score for s in scores.values()),) + tuple(
            int(row[k]) for k in ('solved', 'points', 'penalty_s', 'last_ms'))
    return board


def board_of_sql(url, c):
    sql = BOARD.format(**c, unit=60000 if c['rules'] == 'icpc' else 1000, order=ORDER[c['rules']].format(**c))
    return {student: (int(rank),) + tuple(map(int, rest)) for rank, student, *rest in rows_of(url, sql)}


def board_of_plan(c, wanted, points):
    attempts = [rank_model.Attempt(id=i, rev=1, student=s['payload']['student'], challenge=s['payload']['challenge'],
                                   submitted=s['payload']['submitted_at'], verdict=s['verdict'], points=points[i])
                for i, s in wanted.items() if s['payload']['contest'] == c['id']]
    return rank_model.model(rank_model.Attempt(**c, attempts=attempts))


def check_ranks(redis, url, plan, wanted):
    points = {i: int(p) for i, p in rows_of(url, 'SELECT submission, points FROM sandbox.result')}
    ledger = rank_model.read_ledger(url)
    for c in plan['contests']:
        boards = {'Redis': board_of_redis(redis, c['id']), 'standings()': ledger.get(c['id'], {}),
                  'an SQL of its own': board_of_sql(url, c),
                  'the plan': board_of_plan(c, wanted, points) if wanted.keys() <= points.keys() else {}}
        first = boards['Redis']
        check(f'the leaderboard {c["id"]} of {len(first)} students: Redis, standings(), another SQL and the plan agree', [
            f'{student}: ' + ', '.join(f'{name} {b.get(student)}' for name, b in boards.items())
            for student in sorted(set().union(*boards.values()))
            if len({b.get(student) for b in boards.values()}) > 1] + ([] if len(first) >= 5 else ['too few students']))


# ------------------------------------------------------------------ fairness

def intervals_full(jobs, cap):
    """When a student had as many running as may run: [(from, to)...]."""
    changes = []
    for states in jobs:
        for (ms, text), after in zip(states, states[1:] + [(float('inf'), '')]):
            if text == 'running':
                changes += [(ms, 1), (after[0], -1)]
    full, n, since = [], 0, None
    for ms, by in sorted(changes):
        n += by
        if n >= cap and since is None:
            since = ms
        elif n < cap and since is not None:
            full.append((since, ms))
            since = None
    return full


def unfair(history, student_of, cap):
    """
    Whoever waits is passed by each other student at most twice (once in this round, once in the next) for
    each turn of his own, while he may run one. Returns what is not so, and by how many of a flood at most
    anybody was passed.
    """
    # The first of each: one that failed for a reason of ours was no turn.
    claims = sorted((next(ms for ms, text in states if text == 'running'), student_of[i])
                    for i, states in history.items())
    wrong, most = [], 0
    for student in sorted(set(student_of.values())):
        own = {i: history[i] for i in history if student_of[i] == student}
        full = intervals_full(own.values(), cap)
        for i, states in own.items():
            came = states[0][0]
            went = next((ms for ms, text in states if text == 'running'), None)
            if went is None:
                continue
            turns = 1 + sum(s == student and came < ms < went for ms, s in claims)
            passed = {}
            for ms, other in claims:
                if other != student and came < ms < went and not any(a <= ms <= b for a, b in full):
                    passed[other] = passed.get(other, 0) + 1
            most = max(most, passed.get('flood', 0) / turns)
            wrong += [f'{i} of {student}, his {turns}th turn, was passed {n} times by {other}'
                      for other, n in passed.items() if n > 2 * turns]
    return wrong, most


def check_fairness(history, wanted, cap):
    student_of = {i: s['payload']['student'] for i, s in wanted.items() if s['payload']['contest']}
    history = {i: history[i] for i in student_of}
    flood = [i for i in history if student_of[i] == 'flood']
    others = [i for i in history if student_of[i] != 'flood']
    waiting = min(history[i][0][0] for i in others)
    check('one student came first with a flood', [
        f'only {n} of {len(flood)} waited when the next came' for n in
        [sum(states[0][0] <= waiting < states[1][0] for states in (history[i] for i in flood))] if n < len(flood) // 2])
    wrong, most = unfair(history, student_of, cap)
    check('and nobody waited behind it, nor behind anybody else, longer than for a turn of each', wrong)
    print(f'# passed by {most:g} of the flood at most, for each turn')
    in_order = {i: [(n, 'queued'), (1000 + n, 'running'), (1000.5 + n, 'done AC')] for n, i in enumerate(flood + others)}
    check('which is not so of a queue that serves in the order of arrival',
          [] if unfair(in_order, student_of, cap)[0] else ['it was not noticed'])


# --------------------------------------------------------------------- kills

def longest_run(history):
    return max(after[0] - ms for states in history.values()
               for (ms, text), after in zip(states, states[1:]) if text == 'running' and after[1].startswith('done'))


def check_recovery(history, wanted, path, lease):
    with open(path) as f:
        told = [json.loads(line) for line in f]
    outages = [(k['from'], k['to']) for k in told if k['what'] == 'outage']
    longest, wrong, took = longest_run(history), [], []
    for k in told:
        for i in k.get('ids', []):
            if not wanted[i]['payload']['contest']:
                continue  # practice waits until no contest has any
            before = sum(text == 'running' and ms <= k['at'] for ms, text in history[i])
            after = [(ms, text) for ms, text in history[i] if ms > k['at']]
            again = next((ms for ms, text in after if text == 'running'), None)
            if not after or after[0][1].startswith('done') or again is None:
                continue
            took.append(again - k['at'])
            # A slot that was free takes it at once; else one is, when what runs there has ended.
            most = lease + lease // 3 + longest
            if after[0][1] == 'queued' and before > 1:
                most += RETRY_MS[min(before, 3) - 1]
            most += sum(to - since + 5000 for since, to in outages if since < again and to > k['at'])
            if again - k['at'] > most:
                wrong.append(f'{i}, {k["what"]} killed, was claimed again after {again - k["at"]} ms, not {most}: '
                             f'{history[i]}')
    took.sort()
    check(f'what was lost is claimed again within a lease and a third of it, and a run ({lease} ms, {longest} ms)',
          wrong + ([] if took else ['nothing was lost']))
    if took:
        print(f'# {sum(k["what"] != "outage" for k in told)} kills, {len(took)} submissions lost by them; claimed again '
              f'after ms: median {took[len(took) // 2]}, 90 % {took[len(took) * 9 // 10]}, most {took[-1]}')


def main():
    folder, socket, url, cap, *kills = sys.argv[1:]
    redis = rank_model.Redis(socket)
    with open(f'{folder}/plan.json') as f:
        plan = json.load(f)
    wanted = {s['payload']['id']: s for s in plan['submissions']}
    history = {i: states_of(redis, i) for i in wanted}
    check_results(redis, url, wanted)
    check_ranks(redis, url, plan, wanted)
    if kills:
        check_recovery(history, wanted, kills[1], int(kills[0]))
    else:
        check_attempts(history, wanted)
        check_fairness(history, wanted, int(cap))
    print(f'1..{len(results)}')


main()
