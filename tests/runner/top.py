# SPDX-License-Identifier: MIT
"""top.py RUNNER SOCKET CONFIG: sandbox-runner top on a terminal of ours, as TAP."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

runner, socket, config = sys.argv[1:]
count = 0


def report(name, good, *detail):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    for d in [] if good else detail:
        print("# " + str(d).replace("\n", "\n# "))
    sys.stdout.flush()


def equal(name, expected, actual):
    report(name, expected == actual, f"expected {expected!r}", f"actual   {actual!r}")


def redis(*words):
    return subprocess.run(["redis-cli", "-s", socket, *words], capture_output=True, text=True, check=True).stdout.strip()


class Terminal:
    """The screen that a program writes, as far as top needs one."""

    def __init__(self, rows=24, columns=80):
        self.main, self.side = pty.openpty()
        self.before = termios.tcgetattr(self.side)
        self.lines, self.other, self.cursor, self.written = {}, False, True, ""
        self.resize(rows, columns)
        self.p = subprocess.Popen([runner, "top", "--interval", "50ms", "--config", config], stdin=self.side,
                                  stdout=self.side, stderr=subprocess.PIPE, start_new_session=True, text=True,
                                  preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        self.lines = {}
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def take(self, text):
        self.written += text
        for row, line in re.findall(r"\x1b\[(\d+);1H((?:(?!\x1b\[(?:\d+;1H|\?|K)).)*)\x1b\[K", text, re.S):
            self.lines[int(row)] = re.sub(r"\x1b\[\d*m", "", line)
        for sign, number, switch in re.findall(r"\x1b(\[\?)(1049|25)([hl])", text):
            if number == "1049":
                self.other = switch == "h"
            else:
                self.cursor = switch == "h"

    def read(self):
        rest = ""
        while select.select([self.main], [], [], 0.02)[0]:
            try:
                rest += os.read(self.main, 65536).decode()
            except OSError:
                break
        self.take(rest)

    def text(self):
        return "\n".join(self.lines.get(i, "") for i in range(1, max(self.lines, default=0) + 1))

    def until(self, name, condition, tries=400):
        for _ in range(tries):
            self.read()
            if condition():
                report(name, True)
                return
        report(name, False, self.text(), self.written[-300:])

    def shows(self, name, pattern):
        self.until(name, lambda: re.search(pattern, self.text()))

    def type(self, keys):
        os.write(self.main, keys.encode())

    def foot(self):
        return self.lines.get(max(self.lines, default=0), "")

    def restored(self, name):
        self.read()
        equal(name, (self.before, False, True), (termios.tcgetattr(self.side), self.other, self.cursor))

    def end(self, name, code):
        try:
            status = self.p.wait(timeout=20)
        except subprocess.TimeoutExpired:
            status = "it did not end"
            self.p.kill()
        self.errors = self.p.stderr.read()
        equal(name, code, status)
        self.restored(name + ": the terminal is as it was")
        os.close(self.main)
        os.close(self.side)


def worker(name, held=""):
    now = str(int(time.time() * 1000))
    redis("hset", "sbx:{q}:worker:" + name, "version", "0.1.0", "host", "h", "slots", "2", "busy", "1", "draining", "0",
          "started", now, "held", held)
    redis("zadd", "sbx:{q}:workers", now, name)


worker("w1")
worker("w2", "a disk that is \x1b[2J\x1b[31m short")
for i in range(30):
    subprocess.run([runner, "submit", "file:///x.zip", "--challenge", f"c{i:02}", "--student", f"s{i:02}", "--id",
                    f"job-{i:02}", "--no-follow", "--quiet", "--config", config], check=True, stdout=subprocess.DEVNULL)

t = Terminal()
t.shows("the queue", r"waiting 30 .*contest 0 practice 30")
t.shows("the workers", r"(?m)^w1 +1 / 2 .*0\.1\.0")
t.shows("what waits", r"(?m)^job-00 +s00 +c00 .*waits")
equal("24 lines, no more", 24, max(t.lines))
report("of 80 columns, no more", max(map(len, t.lines.values())) <= 80, t.text())
report("a line of help, whole", "enter: inspect" in t.foot() and t.foot().endswith("q: end"), t.foot())
report("what others wrote does not steer the terminal", "\x1b[2J" not in t.written and "a disk that is ?[2J" in t.text())
report("it has the other screen, without a cursor", t.other and not t.cursor)

t.type("\t\x1b[B\x1b[B")
t.until("the third submission is selected", lambda: "\x1b[7mjob-02" in t.written)
t.type("c")
t.shows("to cancel it is asked", r"cancel job-02: it will not be judged\?  y: yes")
t.type("n")
t.shows("no is no", "nothing was done")
equal("and nothing was done", "queued", redis("hget", "sbx:{q}:job:job-02", "state"))
t.type("cy")
t.shows("yes cancels it", "job-02 is cancelled; it was waiting")
equal("it is cancelled", "cancelled", redis("hget", "sbx:{q}:job:job-02", "state"))
t.shows("and does not wait any more", "waiting 29 ")
t.type("kj" + "j" * 40)
t.until("below the last row the rows move", lambda: "\x1b[7mjob-29" in t.written)
t.type("\r")
t.shows("a submission is inspected", r"(?m)^job-29: queued\n  student s29, challenge c29")
report("with its own line of help", "any other key: back" in t.foot(), t.foot())
t.type("x")
t.shows("and left again", r"(?m)^job-29 +s29")

t.type("\x1b[Dd")
t.shows("to drain is asked", r"drain w1: it takes no more submissions\?")
t.type("y")
t.shows("yes asks the worker", "w1 is asked to drain")
equal("it is asked", "w1", redis("smembers", "sbx:{q}:drain"))
redis("hset", "sbx:{q}:worker:w1", "draining", "1")
t.shows("it drains", r"(?m)^w1 .*draining")
t.type("d")
t.shows("the other way nobody is asked", "w1 takes submissions again")
equal("it is not asked any more", "", redis("smembers", "sbx:{q}:drain"))
t.type("i")
t.shows("a worker is inspected", r"(?m)^worker w1\n  on h, version 0.1.0")
t.type("qp")
t.shows("to pause is asked", "hand out no submissions at all")
t.type("y")
t.shows("paused", r"(?m)^PAUSED  waiting")
t.type("p")
t.until("and not", lambda: not t.lines[1].startswith("PAUSED"))

t.resize(10, 40)
t.until("a smaller terminal", lambda: t.lines and max(t.lines) == 10 and max(map(len, t.lines.values())) <= 40)
t.resize(3, 20)
t.until("a tiny one", lambda: t.lines and max(t.lines) == 3)
t.resize(60, 200)
t.until("a large one shows all", lambda: max(t.lines, default=0) == 60 and "job-29" in t.text())

t.type("\x1a")
t.until("Ctrl-Z stops it", lambda: open(f"/proc/{t.p.pid}/stat").read().split()[2] == "T")
t.restored("with the terminal as it was")
t.p.send_signal(signal.SIGCONT)
t.until("and it goes on", lambda: t.other and termios.tcgetattr(t.side) != t.before)
t.type("q")
t.end("q ends it", 0)

for name, how in (("Ctrl-C", "\x03"), ("SIGTERM", signal.SIGTERM), ("SIGHUP", signal.SIGHUP)):
    t = Terminal()
    t.until(f"{name}: it is there", lambda: "waiting" in t.text())
    if isinstance(how, str):
        t.type(how)
    else:
        t.p.send_signal(how)
    t.end(f"{name} ends it", 0)

# Redis answers what makes no sense: that is told behind it, on the screen that was there before
t = Terminal()
t.until("Redis: it is there", lambda: "waiting" in t.text())
redis("rename", "sbx:{q}:workers", "away")
redis("set", "sbx:{q}:workers", "text")
t.end("an error that does not go away ends it", 4)
report("and is said", "sandbox-runner top: " in t.errors, t.errors)
redis("rename", "away", "sbx:{q}:workers")

t = Terminal()
t.until("Redis dies: it is there", lambda: "waiting" in t.text())
subprocess.run(["redis-cli", "-s", socket, "shutdown", "nosave"], capture_output=True)
t.until("that is said", lambda: socket in t.foot() or "Redis" in t.foot())
report("what was known is still shown", "waiting 29" in t.text(), t.text())
t.type("q")
t.end("q ends it then, too", 0)
print(f"1..{count}")
