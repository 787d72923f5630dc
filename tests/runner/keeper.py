# SPDX-License-Identifier: MIT
"""A judge that asks its sandbox-keeper for what no judge of ours asks (runner/database/wire.h).

keeper.py KEEPER URL TIMES SQL [OPTION...]
  Takes a database so many times without giving one back, and has SQL executed after each. Prints how many it
  was given, how many there were at most at once, what was refused; and what is left after the end.
"""
import os
import socket
import struct
import subprocess
import sys

TAKE, STATUS, EXAMINE, RELEASE = 1, 2, 3, 4
REPLY = struct.Struct("=iIIIQ256s64s64s64sHH240s4x")


class Keeper:
    def __init__(self, program, url, options):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        read, write = os.pipe()
        os.write(write, url.encode())
        os.close(write)

        def fds():
            a, b = os.dup(theirs.fileno()), os.dup(read)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen([program, *options], preexec_fn=fds, pass_fds=(3, 4))
        theirs.close()
        os.close(read)
        self.socket, self.serial = ours, 0

    def ask(self, what, disk=1 << 20):
        self.serial += 1
        self.socket.send(struct.pack("=IIQ", what, self.serial, disk))
        if what == RELEASE:
            return None
        code, over, lost, serial, used, host, role, password, name, port, n, text = REPLY.unpack(
            self.socket.recv(4096))
        assert serial == self.serial
        return code, role.rstrip(b"\0").decode(), text.split(b"\0")[0].decode()

    def end(self):
        self.socket.close()
        return self.process.wait(120)


def sql(url, text):
    return subprocess.run(["psql", "-XqAt", url, "-c", text], check=True, capture_output=True, text=True).stdout


def count(url):
    return int(sql(url, "SELECT count(*) FROM pg_database WHERE datname LIKE 'sbx%'"))


def main():
    program, url, n, after, options = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:]
    keeper = Keeper(program, url, options)
    given, most, refusal = 0, 0, "nothing refused"
    for _ in range(n):
        code, role, text = keeper.ask(TAKE)
        if code < 0:
            refusal = f"{code} {text}"
            break
        given += 1
        sql(url, after)
        most = max(most, count(url))
    print(f"given {given}, at most {most}, {refusal}")
    code = keeper.end()
    print(f"left {count(url)}, ended {code}")


main()
