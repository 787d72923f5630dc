# SPDX-License-Identifier: MIT
"""ops.py DRIVER FOLDER: what test-ops.sh checks, as TAP."""
import http.client
import json
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import exposition  # noqa: E402

driver, folder = sys.argv[1:]
count = 0


def report(name, good, *detail):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    for d in [] if good else detail:
        print("# " + repr(d)[:2000])
    sys.stdout.flush()


def equal(name, expected, actual):
    report(name, expected == actual, expected, actual)


class Supervisor:
    def __init__(self, *arguments):
        self.p = subprocess.Popen([driver, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.first = self.p.stdout.readline()
        self.status, self.port = (int(x) for x in self.first.split()[:2])

    def __call__(self, command):
        self.p.stdin.write(command + "\n")
        self.p.stdin.flush()
        return self.p.stdout.readline()

    def end(self):
        self.p.stdin.close()
        return self.p.wait(timeout=20)


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


def request(c, path, method="GET", body=None):
    c.request(method, path, body)
    r = c.getresponse()
    return r.status, r.read().decode(), r


def raw(port, data):
    """What comes back until the server closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as c:
        try:
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
            while more := c.recv(65536):
                answer += more
        except OSError:
            pass
    return answer


# ---- where it listens
for listen, expected in [("0.0.0.0:0", -1), ("[::]:0", -1), ("10.0.0.1:0", -1), ("localhost:0", -22), ("127.0.0.1", -22),
                         ("127.0.0.1:99999", -22), ("[::1:0", -22), (":0", -22), ("unix:relative", -22),
                         ("unix:/" + "x" * 200, -22), ("127.0.0.1:x", -22), ("", -22)]:
    s = Supervisor(listen)
    equal(f"refused: {listen[:20]}", expected, s.status)
    s.end()
s = Supervisor("0.0.0.0:0")
report("and why", "not loopback" in s.first and "listen_anywhere" in s.first, s.first)
s = Supervisor("0.0.0.0:0", "anywhere")
equal("unless told otherwise", (0, 200), (s.status, request(http.client.HTTPConnection("127.0.0.1", s.port), "/livez")[0]))
s.end()
s = Supervisor("[::1]:0")
equal("IPv6", (0, 200), (s.status, request(http.client.HTTPConnection("::1", s.port), "/livez")[0]))
s.end()

path = folder + "/ops.sock"
s = Supervisor("unix:" + path)
equal("a unix socket", (0, 200), (s.status, request(Unix(path), "/livez")[0]))
equal("which is not for everybody", 0o660, os.stat(path).st_mode & 0o777)
second = Supervisor("unix:" + path)
equal("a second runner does not take it over", -98, second.status)
s.p.kill()
s.p.wait()
report("a killed one leaves it", os.path.exists(path))
s = Supervisor("unix:" + path)
equal("and the next one takes it", (0, 200), (s.status, request(Unix(path), "/livez")[0]))
s.end()
report("one that ends removes it", not os.path.exists(path))
open(path, "w").close()
equal("a file that is no socket is left alone", -98, Supervisor("unix:" + path).status)
report("and is still there", os.path.isfile(path))

# ---- health
s = Supervisor("127.0.0.1:0")
c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=30)
status, text, _ = request(c, "/readyz")
equal("not ready before anything is known", (503, 6), (status, text.count("[-]")))
for name in ("redis", "ledger", "self_test", "disk", "pressure"):
    s(f"ok {name}")
equal("nor while one is missing", 503, request(c, "/readyz")[0])
answer = s("ok serving")
equal("ready when all have passed", (200, "[+] redis: ok\n[+] ledger: ok\n[+] self_test: ok\n[+] disk: ok\n"
                                     "[+] pressure: ok\n[+] serving: ok\nready\n"), request(c, "/readyz")[:2])
report("and the supervisor knows", "ready=1" in answer, answer)
s("fail ledger connection\trefused " + "x" * 300)
status, text, _ = request(c, "/readyz")
report("what is wrong is said", status == 503 and "[-] ledger: connection refused xxx" in text and "[+] redis: ok" in text, text)
equal("one line for each", 7, text.count("\n"))
equal("HEAD says the same", (503, ""), request(c, "/readyz", "HEAD")[:2])
equal("/livez does not depend on it", 200, request(c, "/livez")[0])
report("no descriptor is inherited, no signal taken", "inherited=0 signals=0" in answer, answer)

# ---- documents
equal("an empty document", (200, {}), (request(c, "/statusz")[0], json.loads(request(c, "/statusz")[1])))
s('status {"a":1}')
s('jobs [{"slot":0}]')
equal("what was given", ({"a": 1}, [{"slot": 0}]),
      (json.loads(request(c, "/statusz")[1]), json.loads(request(c, "/debug/jobs")[1])))
equal("as JSON, which nobody keeps", ("application/json", "no-store"),
      (request(c, "/statusz")[2].headers["Content-Type"], request(c, "/statusz")[2].headers["Cache-Control"]))

# ---- metrics
before = exposition.parse(request(c, "/metrics")[1])
s("fill")
status, text, r = request(c, "/metrics?name[]=x")
equal("metrics", (200, "text/plain; version=0.0.4; charset=utf-8"), (status, r.headers["Content-Type"]))
families = exposition.parse(text)
report("every metric is there once it was used", len(families) > 38, len(families))
report("all of one name space", all(n.startswith("sandbox_runner_") for n in families), list(families))
report("counters begin at 0", all(v in (0,) for n, (k, f) in before.items() if k == "counter" for v in f.values()), before)
names = {label for _, (_, f) in families.items() for (_, labels) in f for label, _ in labels}
equal("labels are of things, never of people", set(), names - {
    "verdict", "reason", "outcome", "limit", "step", "errno", "cache", "pri", "version", "commit", "backend", "res",
    "check", "stage", "le"})
ready = {dict(l)["check"]: v for (_, l), v in families["sandbox_runner_ready"][1].items() if dict(l)["check"] != "one"}
equal("readiness is one of them", {"redis": 1, "ledger": 0, "self_test": 1, "disk": 1, "pressure": 1, "serving": 1}, ready)
root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
known = {n[15:] for n in families}


def text_of(path):
    with open(os.path.join(root, path)) as f:
        return f.read()


table = text_of("docs/operations.md").partition("\n## Metrics\n")[2].partition("\n## ")[0]
equal("docs/operations.md explains each, and no other", (set(), set()), (
    known - set(re.findall(r"^\| `([a-z_]+)", table, re.M)), set(re.findall(r"^\| `([a-z_]+)", table, re.M)) - known))
labels_said = {m[0]: m[1] for m in re.findall(r"^\| `([a-z_]+)(?:\{([a-z,]+)\})?`", table, re.M)}
labels_real = {n[15:]: ",".join(label for label in re.findall(r'([a-z]+)="', next(x for x in text.splitlines() if re.match(
    n + r"(_bucket)?[{ ]", x))) if label != "le") for n in families}
equal("with its labels", labels_real, labels_said)

# ---- what is made of them
dashboard = json.loads(text_of("examples/deploy/monitoring/grafana.json"))
expressions = [t["expr"] for p in dashboard["panels"] for t in p.get("targets", [])]
report("the dashboard has panels", len(expressions) > 20, len(expressions))
alerts = text_of("examples/deploy/monitoring/alerts.yaml")
used = "\n".join(expressions) + alerts + text_of("examples/deploy/kubernetes/keda.yaml")
used = {re.sub(r"_(bucket|sum|count)$", "", n) for n in re.findall(r"\bsandbox_runner_([a-z_]+)", used)}
equal("dashboard and alerts ask for metrics that there are", set(), used - known)
equal("docs/operations.md explains each alert, and no other", set(re.findall(r"alert: (\w+)", alerts)),
      set(re.findall(r"^\| (Sandbox\w+) \|", text_of("docs/operations.md"), re.M)))

setup = re.search(r"build_packages=\((.*?)\)", text_of("examples/setup.sh"), re.S).group(1).split()
dockerfile = text_of("examples/deploy/docker/Dockerfile").split()
equal("the image is built with what setup.sh builds with", [], [p for p in setup if p not in dockerfile])

# ---- requests as they should not be
equal("another path", 404, request(c, "/../../etc/passwd")[0])
for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "FOO"):
    status, _, r = request(http.client.HTTPConnection("127.0.0.1", s.port), "/livez", method, "x" * 100)
    if status != 405 or r.headers["Allow"] != "GET, HEAD":
        break
equal("another method", (405, "GET, HEAD"), (status, r.headers["Allow"]))
equal("a GET with a body", 200, request(http.client.HTTPConnection("127.0.0.1", s.port), "/livez", "GET", "x" * 100000)[0])
report("a head of 1 MB", raw(s.port, b"GET /livez HTTP/1.1\r\nX: " + b"x" * 1000000 + b"\r\n\r\n")[9:12] in (b"431", b"", b"413"))
report("garbage", b"200" not in raw(s.port, os.urandom(3000))[:20])
report("half a request", b" 200 " not in raw(s.port, b"GET /livez HT"))
report("pipelined", raw(s.port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 2).count(b"200 OK") == 2)
idle = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(100)]
equal("it answers beside 100 idle connections", 200, request(http.client.HTTPConnection("127.0.0.1", s.port, timeout=30), "/livez")[0])
for _ in range(500):
    idle.append(socket.socket())
    idle[-1].setblocking(False)
    idle[-1].connect_ex(("127.0.0.1", s.port))
for x in idle:
    x.close()
equal("and after 500 more", 200, request(http.client.HTTPConnection("127.0.0.1", s.port, timeout=30), "/livez")[0])
equal("it ends at once, with connections open", 0, s.end())

# ---- the loop stands still
s = Supervisor("127.0.0.1:0", "loopback", "1")
c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=30)
while request(c, "/livez")[0] == 200:
    pass
status, text, _ = request(c, "/livez")
report("a loop that does not turn is not alive", status == 503 and "has not turned" in text, status, text)
s.end()
s = Supervisor("127.0.0.1:0", "loopback", "3600000")
s("beat")
equal("one that does is", 200, request(http.client.HTTPConnection("127.0.0.1", s.port), "/livez")[0])
s.end()

print(f"1..{count}")
