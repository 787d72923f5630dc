#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small honest HTTP server for tests/hurl: prints its port, then serves until it is killed."""
import base64, gzip, json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SHELF = {
    "name": "north", "open": True, "rent": 12.5, "floor": 3, "keeper": None,
    "books": [
        {"id": 1, "title": "Solaris", "author": "Stanislaw Lem", "pages": 204},
        {"id": 2, "title": "Kindred", "author": "Octavia Butler", "pages": 264},
        {"id": 3, "title": "Momo", "author": "Michael Ende", "pages": 304},
    ],
    "tags": ["quiet", "warm"], "empty": [], "nothing": {},
    "opened": "2024-02-29T08:30:00.250Z", "key": "6fa459ea-ee8a-4ca4-894e-db77e160355e",
    "addresses": "10.0.0.1, 10.0.0.2, 10.0.0.3",
    "link": "https://shelf.test/find?q=caf%C3%A9&page=2#top", "token": "PDw/Pz8+Pg==", "safe": "PDw_Pz8-Pg",
    "markup": "a < b & c", "nested": "{\"deep\": [10, 20]}",
}
TEXT = "2031-07-04\nid_a:77 id_b:88\nGood morning, Vienna!\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    polls = {}

    def log_message(self, *_):
        pass

    def answer(self, status, body, *headers):
        if not isinstance(body, bytes):
            headers += (("Content-Type", "application/json"),) if not isinstance(body, str) else ()
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def echo(self, path, body):
        names = {}
        for name in self.headers.keys():
            names[name.lower()] = self.headers[name]
        self.answer(200, {"method": self.command, "path": path.path, "raw_query": path.query,
                          "query": parse_qs(path.query, keep_blank_values=True),
                          "form": parse_qs(body.decode("latin-1"), keep_blank_values=True),
                          "headers": names, "text": body.decode("utf-8", "replace"), "length": len(body)})

    def redirect(self, path, _):
        step = int(path.path.rsplit("/", 1)[1])
        if step == 3:
            self.answer(200, "arrived")
        else:
            self.answer(302, "", ("Location", "/step/%d" % (step + 1)))

    def poll(self, path, _):
        n = self.polls[path.path] = self.polls.get(path.path, 0) + 1
        self.answer(200, {"state": "DONE" if n >= 3 else "RUNNING", "n": n})

    def cookies(self, _, __):
        self.answer(200, "", ("Set-Cookie", "sid=s3cr3t; Path=/; HttpOnly; SameSite=Strict; Max-Age=600"),
                    ("Set-Cookie", "look=dark; Expires=Wed, 13 Jan 2038 22:23:01 GMT; Secure"))

    def protected(self, _, __):
        good = "Basic " + base64.b64encode(b"mona:lisa 1503").decode()
        if self.headers.get("Authorization") == good:
            self.answer(200, {"user": "mona"})
        else:
            self.answer(401, {}, ("WWW-Authenticate", "Basic realm=x"))

    def handle_any(self):
        path = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fixed = {"/shelf": SHELF, "/numbers": {"int": 7, "float": 7.0, "big": 9007199254740993, "text": "42"}}
        other = {"/echo": self.echo, "/cookies": self.cookies, "/protected": self.protected}
        if path.path in fixed:
            self.answer(200, fixed[path.path])
        elif path.path in other:
            other[path.path](path, body)
        elif path.path.startswith("/step/"):
            self.redirect(path, body)
        elif path.path.startswith("/poll/"):
            self.poll(path, body)
        elif path.path == "/login":
            self.answer(302, "", ("Location", "/home"), ("X-Token", "t0k3n"))
        elif path.path == "/text":
            self.answer(200, TEXT, ("Content-Type", "text/plain; charset=utf-8"),
                        ("Vary", "Accept"), ("Vary", "User-Agent"), ("ETag", '"v1"'))
        elif path.path == "/data":
            self.answer(200, b"\xef\xbb\xbfdata\x00\x01", ("Content-Type", "application/octet-stream"))
        elif path.path == "/packed":
            self.answer(200, gzip.compress(b"unpacked text"), ("Content-Encoding", "gzip"))
        elif path.path == "/table":
            self.answer(200, "year,make\n1997,Ford\n1999,\"Chevy, big\"\n")
        elif path.path.startswith("/status/"):
            self.answer(int(path.path[8:]), {})
        else:
            self.answer(404, {"error": "not found"})

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
sys.stdout.close()
server.serve_forever()
