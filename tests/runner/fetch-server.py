#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fetch-server.py FOLDER: file servers as they should not be, one misbehaviour for each path.

Listens on 127.0.0.1 and [::1], the same port, which is written to FOLDER/port; on a second port is what
nobody may connect to (FOLDER/canary); with FOLDER/server.pem also speaks TLS (FOLDER/tls). Every request, as it came, is appended to FOLDER/requests.
"""
import gzip
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse

folder = sys.argv[1]
BODY = b"PK\x05\x06" + bytes(18)
log_lock = threading.Lock()
counts = {}


def log(name, data):
    with log_lock, open(f"{folder}/{name}", "ab") as f:
        f.write(data)


def answer(status, body=b"", *headers, length=None):
    lines = [f"HTTP/1.1 {status}", *headers]
    if length != "none":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def forever(c, piece, pause=0.0):
    while True:
        c.sendall(piece)
        if pause:
            time.sleep(pause)


def hold(c):
    """Until the client goes away."""
    c.settimeout(60)
    c.recv(1)


def serve(c, path, query):
    """True: the connection may be used again."""
    name, _, rest = path[1:].partition("/")
    counts[path] = counts.get(path, 0) + 1
    head = b"HTTP/1.1 200 OK\r\n"
    if name == "ok":
        c.sendall(answer("200 OK", BODY))
    elif name == "size":
        c.sendall(answer("200 OK", b"x" * int(rest)))
    elif name == "size-unsaid":
        c.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"x" * int(rest)) + chunk(b""))
    elif name == "status":
        c.sendall(answer(f"{rest} Something", b"<Error>no</Error>"))
    elif name == "empty":
        c.sendall(answer("200 OK"))
    elif name == "nothing":
        c.sendall(answer("204 No Content", length="none"))
    elif name == "redirect":
        c.sendall(answer("302 Found", b"there", "Location: " + query["to"][0],
                         "Set-Cookie: session=stolen"))
    elif name == "hops":
        to = f"/hops/{int(rest) - 1}" if int(rest) > 1 else "/ok"
        c.sendall(answer("307 Temporary Redirect", b"", f"Location: {to}"))
    elif name == "loop":
        c.sendall(answer("302 Found", b"", "Location: /loop"))
    elif name == "nowhere":
        c.sendall(answer("302 Found"))
    elif name == "flaky":
        n = counts[path]
        c.sendall(answer("200 OK", BODY) if n > 1 else answer("503 Busy", b"", "Retry-After: 7"))
    elif name == "slow-down":
        c.sendall(answer("429 Too Many Requests", b"", f"Retry-After: {rest}"))
    elif name == "endless":
        c.sendall(head + b"\r\n")
        forever(c, bytes(65536))
    elif name == "chunked-forever":
        c.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        forever(c, chunk(bytes(65536)))
    elif name == "missing-forever":
        c.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
        forever(c, bytes(65536))
    elif name == "too-short":
        c.sendall(answer("200 OK", BODY + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL",
                         length=len(BODY)))
        return True
    elif name == "too-long":
        c.sendall(answer("200 OK", BODY, length=len(BODY) + 10))
        return False
    elif name == "length":
        c.sendall(answer("200 OK", BODY, length=rest))
        hold(c)
    elif name == "loris":
        c.sendall(answer("200 OK", b"", length=100000))
        forever(c, b"x", 0.02)
    elif name == "loris-head":
        c.sendall(head + b"X: ")
        forever(c, b"x", 0.02)
    elif name == "silent":
        hold(c)
    elif name == "hold":
        c.sendall(answer("200 OK", bytes(100000), length=1000000))
        log("events", f"holds {rest}\n".encode())
        hold(c)
    elif name == "heads":
        c.sendall(head)
        forever(c, b"X-Filler: " + b"x" * 1000 + b"\r\n")
    elif name == "continues":
        forever(c, b"HTTP/1.1 100 Continue\r\n\r\n")
    elif name == "gzip":
        body = gzip.compress(bytes(10_000_000))
        log("gzip-size", str(len(body)).encode())
        c.sendall(answer("200 OK", body, "Content-Encoding: gzip"))
    elif name == "transfer-gzip":
        body = gzip.compress(bytes(10_000_000))
        c.sendall(head + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk(body) + chunk(b""))
    elif name == "garbage":
        c.sendall(b"\x00\xff" * 2000)
        return False
    elif name == "close":
        return False
    else:
        c.sendall(answer("404 Not Found", b"no"))
    return True


def talk(c):
    data = b""
    with c:
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    more = c.recv(65536)
                    if not more:
                        return
                    data += more
                request, _, data = data.partition(b"\r\n\r\n")
                log("requests", request + b"\r\n\r\n")
                url = urllib.parse.urlsplit(request.split(b" ")[1].decode("latin-1"))
                if not serve(c, url.path, urllib.parse.parse_qs(url.query)):
                    return
        except OSError:
            pass


def canary(c):
    log("canary-touched", b"touched\n")
    c.close()


def listen(family, address, port, handler):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(64)

    def loop():
        while True:
            c, _ = s.accept()
            threading.Thread(target=handler, args=(c,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return s.getsockname()[1]


def talk_tls(c):
    try:
        talk(tls.wrap_socket(c, server_side=True))
    except OSError:
        pass


def listen_both():
    """One port that is free in both families."""
    for _ in range(50):
        port = listen(socket.AF_INET, "127.0.0.1", 0, talk)
        try:
            return listen(socket.AF_INET6, "::1", port, talk)
        except OSError:
            continue
    raise SystemExit("no port is free on both 127.0.0.1 and ::1")


if os.path.exists(f"{folder}/server.pem"):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{folder}/server.pem")
    log("tls", str(listen(socket.AF_INET, "127.0.0.1", 0, talk_tls)).encode())
second = listen(socket.AF_INET, "127.0.0.1", 0, canary)
port = listen_both()
log("canary", str(second).encode())
log("port", str(port).encode())
threading.Event().wait()
