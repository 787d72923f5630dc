#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fleet-zips.py FOLDER: the server that archives come from, and where some do not come from.

Listens on 127.0.0.1 at a port that is written to FOLDER/port; serves FOLDER/archives, and

/status/CODE      nothing but that
/flaky/N/NAME     503 the first time that N is asked for, then the archive
/stalls           a promise, and nothing
/large, /endless  more than an archive may have: said before; never said
"""
import http.server
import os
import sys
import threading

folder = sys.argv[1]
flaky = set()
over = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        what, *rest = self.path[1:].split('/')
        if what == 'status':
            return self.answer(int(rest[0]), b'')
        if what == 'flaky':
            if rest[0] not in flaky:
                flaky.add(rest[0])
                return self.answer(503, b'')
            what = rest[1]
        if what == 'stalls':
            self.head(1000)
            return over.wait(600)
        if what == 'large':
            return self.answer(200, bytes(3 << 20))
        if what == 'endless':
            self.head(None)
            while True:
                self.wfile.write(b'8000\r\n' + bytes(0x8000) + b'\r\n')
        with open(f'{folder}/archives/{os.path.basename(what)}', 'rb') as f:
            self.answer(200, f.read())

    def head(self, length):
        self.send_response(200)
        if length is None:
            self.send_header('Transfer-Encoding', 'chunked')
        else:
            self.send_header('Content-Length', str(length))
        self.end_headers()

    def answer(self, status, body):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # clients that go away in the middle


server = Server(('127.0.0.1', 0), Handler)
with open(f'{folder}/port.new', 'w') as f:
    f.write(str(server.server_port))
os.rename(f'{folder}/port.new', f'{folder}/port')
server.serve_forever()
