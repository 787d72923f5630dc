# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus' text format 0.0.4: parse(text) -> {family: (type, {labels: value})}.

Raises ValueError for what promtool or a scrape would refuse or misread: samples without TYPE or apart from it,
duplicates, counters that do not end in _total, histograms whose buckets do not add up.
"""
import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)\Z")


def labels_of(text):
    result, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m or m.group(1) in result:
            raise ValueError(f"labels: {text}")
        result[m.group(1)] = m.group(2)
        at = m.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise ValueError(f"labels: {text}")
            at += 1
    return result


def value_of(text):
    if text in ("NaN", "+Inf", "-Inf"):
        return float(text)
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        raise ValueError(f"value: {text}")
    return float(text)


def family_of(name, kind, families):
    for family in families:
        suffixes = ("_bucket", "_sum", "_count") if families[family][0] == "histogram" else ("",)
        if any(name == family + s for s in suffixes):
            return family
    raise ValueError(f"no TYPE before {name}")


def check_histogram(name, samples):
    groups = {}
    for (sample, labels), value in samples.items():
        rest = tuple(x for x in labels if x[0] != "le")
        groups.setdefault(rest, {}).setdefault(sample, []).append((dict(labels).get("le"), value))
    for group in groups.values():
        buckets = [(math.inf if le == "+Inf" else float(le), v) for le, v in group[name + "_bucket"]]
        bounds, counts = zip(*buckets)
        if list(bounds) != sorted(set(bounds)) or bounds[-1] != math.inf or list(counts) != sorted(counts):
            raise ValueError(f"buckets of {name}: {buckets}")
        if len(group[name + "_count"]) != 1 or len(group[name + "_sum"]) != 1:
            raise ValueError(f"count or sum of {name}")
        if group[name + "_count"][0][1] != counts[-1]:
            raise ValueError(f"count of {name} is not its last bucket")


def parse(text):
    families, helped, current = {}, set(), None
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            if current in helped or len(line.split(" ", 3)) < 4:
                raise ValueError(line)
            helped.add(current)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name in families or name != current or not NAME.match(name):
                raise ValueError(line)
            if kind not in ("counter", "gauge", "histogram") or (kind == "counter") != name.endswith("_total"):
                raise ValueError(line)
            families[name] = (kind, {})
        else:
            m = SAMPLE.match(line)
            if not m:
                raise ValueError(line)
            family = family_of(m.group(1), None, families)
            if family != current:
                raise ValueError(f"apart from its family: {line}")
            key = (m.group(1), tuple(sorted(labels_of(m.group(2) or "").items())))
            if key in families[family][1]:
                raise ValueError(f"twice: {line}")
            families[family][1][key] = value_of(m.group(3))
    for name, (kind, samples) in families.items():
        if not samples:
            raise ValueError(f"{name} has no samples")
        if kind == "histogram":
            check_histogram(name, samples)
        if kind == "counter" and any(v < 0 for v in samples.values()):
            raise ValueError(f"{name} is negative")
    return families
