#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the open Internet sends to port 5060: noise, cut-off and bent SIP, torture messages.

  garbage.py SOURCE EDGE SECONDS SEED [FOLDER...]

The folders hold torture messages: NAME.sip, written as tests/golden/README.md says, or else files as they are.

The order depends on the seed alone, which is printed. Prints how many datagrams of each kind were sent.
"""
import os
import random
import re
import sys
import time

import sip

RATE = 2000  # datagrams a second
MESSAGE = b"""INVITE sip:bob@EDGE SIP/2.0\r
Via: SIP/2.0/UDP SOURCE:5060;branch=z9hG4bKgarbage\r
Max-Forwards: 70\r
From: <sip:mallory@SOURCE>;tag=g\r
To: <sip:bob@EDGE>\r
Call-ID: garbage\r
CSeq: 1 INVITE\r
Contact: <sip:mallory@SOURCE>\r
Content-Length: 0\r
\r
"""
METHODS = (b"INVITE", b"CANCEL", b"BYE", b"ACK", b"OPTIONS", b"REGISTER", b"X" * 40)


def template(rng, source, edge):
    """A message of its own, so that not all of them are one retransmission."""
    method = rng.choice(METHODS)
    text = MESSAGE.replace(b"SOURCE", sip.host(source).encode()).replace(b"EDGE", sip.host(edge).encode())
    text = text.replace(b"INVITE", method).replace(b"garbage", b"garbage%d" % rng.getrandbits(60))
    if rng.random() < 0.3:
        text = b"SIP/2.0 %d Something\r\n" % rng.randrange(0, 1000) + text.split(b"\r\n", 1)[1]
    return text


def noise(rng, *_):
    return rng.randbytes(rng.choice((0, 1, 2, 4, 16, 100, 1400, 3000)))


def truncated(rng, source, edge):
    text = template(rng, source, edge)
    return text[:rng.randrange(len(text))]


def bent(rng, source, edge):
    text = bytearray(template(rng, source, edge))
    for _ in range(rng.randrange(1, 8)):
        text[rng.randrange(len(text))] = rng.choice((0, 10, 13, 32, 34, 37, 44, 58, 59, 60, 62, 64, 91, 127, 255))
    return bytes(text)


def swollen(rng, source, edge):
    lines = template(rng, source, edge).split(b"\r\n")
    line = rng.choice((b"Via: SIP/2.0/UDP a.example;branch=z9hG4bKx", b"Route: <sip:a.example;lr>", b"X: " + b"y" * 900,
                       b"Record-Route: <sip:a.example;lr>", b"To: <sip:c>", b"Content-Length: 99999999999999999999"))
    lines[1:1] = [line] * rng.choice((1, 2, 80, 400) if len(line) < 100 else (1, 2, 60))
    return b"\r\n".join(lines)[:60000]


def golden(text):
    """A message of tests/golden: a line end is CRLF, unless \\c takes it away; \\r, \\n, \\xHH, \\\\."""
    said = {b"\n": b"\r\n", b"\\r": b"\r", b"\\n": b"\n", b"\\c\n": b""}

    def plain(match):
        found = match.group()
        if found.startswith(b"\\x"):
            return bytes([int(found[2:], 16)])
        return said.get(found, found[1:])

    return re.sub(rb"\n|\\(?:x[0-9A-Fa-f]{2}|c\n|.)", plain, text)


def torture(folders):
    for folder in folders:
        ours = any(name.endswith(".sip") for name in os.listdir(folder))
        for path, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                if name.endswith(".sip") if ours else not name.endswith(".md"):
                    with open(os.path.join(path, name), "rb") as file:
                        text = file.read()[:65000]
                    yield golden(text) if name.endswith(".sip") else text


def main(source, edge, seconds, seed, *folders):
    rng = random.Random(int(seed))
    sock = sip.udp(source, 5070)
    sent = {}

    def send(kind, data):
        try:
            sock.sendto(data, (edge, 5060))
        except OSError:  # a refused datagram is not our subject
            return
        sent[kind] = sent.get(kind, 0) + 1

    for text in torture(folders):
        send("torture", text)
        time.sleep(1 / RATE)
    begin = time.monotonic()
    for count in range(int(float(seconds) * RATE)):
        make = rng.choice((noise, truncated, bent, swollen))
        send(make.__name__, make(rng, source, edge))
        late = begin + count / RATE - time.monotonic()
        if late > 0:
            time.sleep(late)
    print("seed %s:" % seed, ", ".join("%d %s" % (n, kind) for kind, n in sorted(sent.items())))


if __name__ == "__main__":
    main(*sys.argv[1:])
