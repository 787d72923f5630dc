#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Payloads that make no sense, as commands for redis-cli --pipe that push them into `submissions`.

fleet-payloads.py SEED: how many there are is written to stderr. None of them may be taken.
"""
import json
import random
import sys

GOOD = {'id': 'never', 'student': 'eve', 'challenge': 'plain', 'url': 'file:///good.zip'}


def with_(**members):
    return json.dumps({**GOOD, **members}).encode()


def without(member):
    return json.dumps({k: v for k, v in GOOD.items() if k != member}).encode()


def raw(member, text):
    """A member as it cannot be written by a library."""
    return without(member)[:-1] + b', "%s": ' % member.encode() + text + b'}'


def hostile(rng):
    good = json.dumps(GOOD).encode()
    payloads = [
        b'', b' ', b'null', b'true', b'17', b'""', b'[]', b'{}', b'[{}]', b'{', b'}', b'nonsense', b'\xef\xbb\xbf' + good,
        good + b'x', good + good, good + b'\x00', b'\x00' + good, good[:-1], good.replace(b'"', b"'"), b'//\n' + good,
        # bytes that are no text
        raw('id', b'"\xff\xfe"'), raw('id', b'"\xc0\x80"'), raw('id', b'"\xed\xa0\x80"'), raw('id', b'"a\x00b"'),
        raw('id', b'"a\\u0000b"'), raw('id', b'"\\ud800"'), raw('id', b'"a\nb"'), bytes(range(256)),
        good.decode().encode('utf-16'),
        # one name, two values
        good[:-1] + b', "id": "other"}', good[:-1] + b', "url": "file:///other.zip"}',
        b'{"x": {"a": 1, "a": 2}, ' + good[1:],
        # kinds
        with_(id=1), with_(id=None), with_(id=[]), with_(id={}), with_(url=7), with_(student=True), with_(sha256=5),
        with_(priority=9), with_(priority=-1), with_(priority=1.5), with_(priority='high'), with_(submitted_at='now'),
        with_(submitted_at=-1), with_(submitted_at=10 ** 18), with_(submitted_at=1.5), raw('submitted_at', b'1e400'),
        raw('submitted_at', b'99999999999999999999999'), raw('submitted_at', b'NaN'),
        # values
        with_(id=''), with_(id='../x'), with_(id='a/b'), with_(id='a b'), with_(id='a;b'), with_(id='x' * 300),
        with_(id='\u202eabc'), with_(id='\x1b[2J'), with_(student='a\nb'), with_(challenge='a/../b'), with_(contest='*'),
        with_(contest='a/b'), with_(sha256='A' * 64), with_(sha256='0' * 63), with_(url=''), with_(url='file:///a b'),
        with_(url='http://x/\r\nX: y'), with_(url='http://x/' + 'y' * 5000), with_(url='http://\u00fc/'),
        without('id'), without('url'), without('student'), without('challenge'), good.replace(b'"id"', b'"ID"'),
        json.dumps({'id': 'x', 'challengeId': '../..', 'url': 'http://x/'}).encode(),
        # size and depth
        b'x' * (1 << 20), with_(more='x' * (1 << 20)), b'[' * (1 << 20), b'{"a":' * 100000, with_(more='x' * 16384),
        raw('more', b'[' * 9 + b']' * 9), raw('more', b'[' * 7000 + b']' * 7000), b'"' + b'\\' * 16000, b'[' * 16384,
    ]
    # A byte that is in no JSON, wherever it is; and noise.
    for _ in range(400):
        broken = bytearray(good)
        broken.insert(rng.randrange(len(broken) + 1), rng.choice(b'\x00\x01\x02\xff'))
        payloads += [bytes(broken), rng.randbytes(rng.randrange(1, 400))]
    return payloads


payloads = hostile(random.Random(int(sys.argv[1])))
for p in payloads:
    sys.stdout.buffer.write(b'*3\r\n$5\r\nLPUSH\r\n$11\r\nsubmissions\r\n$%d\r\n%s\r\n' % (len(p), p))
print(len(payloads), file=sys.stderr)
