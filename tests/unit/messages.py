#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""messages.py SOURCE_ROOT: every message that refuses or judges a submission, one a line.
messages.py SOURCE_ROOT notes: every note that may stand below a verdict.

Messages are the format strings of job_verdict(), problem_set(), say() (of advice.c), fill_rest() and fail_all() (of
test.c: tests that were not done); notes those of job_note() and records_put_note(). They must be literals or a choice
between literals. A conversion such as %s or %u is printed as an ellipsis.
"""
import pathlib
import re
import sys

MESSAGES = {"job_verdict": 2, "problem_set": 1, "return say": 0, "fill_rest": 2, "fail_all": 2}
NOTES = {"job_note": 1, "records_put_note": 1}
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|/\*.*?\*/|//[^\n]*|[(),?:;]|[^"\'(),?:;/]+|/', re.S)
CONVERSION = re.compile(r"%[-0-9.*]*(?:ll|l|z|h)?[a-zA-Z]")


def arguments(text, start):
    """The top-level arguments of the call whose opening parenthesis is before `start`."""
    depth, current, result = 1, [], []
    for token in TOKEN.finditer(text, start):
        t = token.group()
        if t.startswith(("/*", "//")):
            continue
        if t == "(":
            depth += 1
        elif t == ")":
            depth -= 1
            if depth == 0:
                result.append(current)
                return result
        elif t == "," and depth == 1:
            result.append(current)
            current = []
            continue
        current.append(t)
    return result


def literals(tokens):
    """The texts of one argument: a literal, or those of `condition ? "a" : "b"`. Else none."""
    texts, text, rest = [], None, []
    for t in tokens:
        if t.startswith('"'):
            text = (text or "") + t[1:-1]
        elif t in "?:":
            texts, text, rest = texts + [text] if text is not None else texts, None, []
        elif t.strip():
            rest.append(t)
            if text is not None:
                return []
    if text is None or rest:
        return []
    return texts + [text]


def plain(text):
    text = text.replace('\\"', '"').replace("\\n", " ").replace("\\\\", "\\")
    return CONVERSION.sub("…", text.replace("%%", "\0")).replace("\0", "%")


def handed_on(tokens):
    """The name of a parameter, or its declaration: what was said is at the caller."""
    text = "".join(tokens).strip()
    return "const char" in text or text in ("fmt", "why")


def messages(path, calls):
    text = path.read_text()
    for call in re.finditer(r"\b(" + "|".join(calls) + r")\s*\(", text):
        args = arguments(text, call.end())
        index = calls[call.group(1)]
        if len(args) <= index or handed_on(args[index]):
            continue
        found = literals(args[index])
        if not found:
            line = text.count("\n", 0, call.start()) + 1
            sys.exit(f"{path}:{line}: the message is not a literal")
        yield from (plain(m) for m in found if m != "%s")


root = pathlib.Path(sys.argv[1])
wanted = NOTES if sys.argv[2:] == ["notes"] else MESSAGES
seen = sorted({m for p in sorted(root.glob("runner/**/*.c")) for m in messages(p, wanted)})
print("\n".join(seen))
