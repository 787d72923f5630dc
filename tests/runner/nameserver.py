# SPDX-License-Identifier: MIT
"""nameserver.py ADDRESS: answers every question for an A record with 127.0.0.1, as long as the file `silent` is
not in the working folder; then it says nothing at all, to nobody. Prints a line when it is there."""
import os
import socket
import struct
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print("ready", flush=True)
while True:
    question, who = s.recvfrom(1500)
    if os.path.exists("silent"):
        continue
    end = question.index(b"\0", 12) + 5
    kind = struct.unpack("!H", question[end - 4:end - 2])[0]
    answers = kind == 1
    reply = question[:2] + struct.pack("!HHHHH", 0x8180, 1, answers, 0, 0) + question[12:end]
    if answers:
        reply += struct.pack("!HHHIH4s", 0xC00C, 1, 1, 1, 4, bytes([127, 0, 0, 1]))
    s.sendto(reply, who)
