#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A name server for tests, over UDP and TCP: it answers from a small zone, and misbehaves on demand.

usage: name_server.py ADDRESS PORT ZONE

A line of ZONE is "NAME TTL TYPE DATA"; the file is read for each question. TYPE is A, AAAA, CNAME, SRV, NAPTR; or one of
  SILENT    no answer to whatever is asked of NAME
  SERVFAIL  the server's failure
  JUNK      an answer of random bytes behind a good header
  LOOP      aliases that go round
  HUGE      3,000 records
  CUT       "truncated" over UDP, the answer over TCP
  LATE      the answer after 300 ms
"""
import os
import socket
import socketserver
import struct
import sys
import threading
import time

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28, "SRV": 33, "NAPTR": 35}


def labels(name):
    parts = [part for part in name.rstrip(".").split(".") if part]
    return b"".join(bytes([len(part)]) + part.encode() for part in parts) + b"\0"


def text(value):
    return bytes([len(value)]) + value.encode()


def data_of(kind, words):
    if kind == "A":
        return socket.inet_pton(socket.AF_INET, words[0])
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, words[0])
    if kind == "CNAME":
        return labels(words[0])
    if kind == "SRV":
        return struct.pack(">HHH", *map(int, words[:3])) + labels(words[3])
    order, preference, flags, service, replacement = words
    return struct.pack(">HH", int(order), int(preference)) + text(flags) + text(service) + text("") + labels(replacement)


def record(owner, kind, ttl, data):
    return labels(owner) + struct.pack(">HHIH", TYPES[kind], 1, ttl, len(data)) + data


def name_in(message, at):
    parts = []
    while message[at]:
        parts.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    return ".".join(parts), at + 1


class Zone:
    def __init__(self, path):
        self.path = path
        self.asked = []

    def lines(self):
        with open(self.path) as stream:
            for line in stream:
                words = line.split()
                if len(words) >= 3 and not line.startswith("#"):
                    yield words[0].lower(), int(words[1]), words[2], words[3:]

    def answer(self, question, tcp):
        """The answer as bytes, None: silence."""
        name, end = name_in(question, 12)
        kind = struct.unpack_from(">H", question, end)[0]
        self.asked.append((name, kind))
        known = False
        records, flags, alias = [], 0x8580, None
        lines = list(self.lines())
        for owner, ttl, what, words in lines:
            if owner != name:
                continue
            known = True
            if what == "SILENT":
                return None
            if what == "LATE":
                time.sleep(0.3)
            elif what == "SERVFAIL":
                flags |= 2
            elif what == "CUT" and not tcp:
                flags |= 0x200
            elif what == "JUNK":
                return question[:2] + struct.pack(">HHHHH", flags, 1, 7, 7, 7) + question[12:end + 4] + os.urandom(200)
            elif what == "LOOP":
                records += [record(name, "CNAME", 60, labels("x." + name)), record("x." + name, "CNAME", 60, labels(name))]
            elif what == "HUGE":
                records += [record(name, "A", 60, bytes([192, 0, 2, i % 250 + 1])) for i in range(3000)]
            elif what == "CNAME":
                alias = words[0]
                records.append(record(name, "CNAME", ttl, labels(alias)))
            elif TYPES.get(what) == kind and not (flags & 0x200):
                records.append(record(name, what, ttl, data_of(what, words)))
        for owner, ttl, what, words in lines:
            if alias and owner == alias and TYPES.get(what) == kind:
                records.append(record(owner, what, ttl, data_of(what, words)))
        if flags & 0x202:
            records = []
        if not known:
            flags |= 3
        return question[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question[12:end + 4] + b"".join(records)


def serve(address, port, path):
    """Two servers in threads of their own. Returns the zone, the port, and a function that ends them."""
    zone = Zone(path)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    class Udp(socketserver.ThreadingUDPServer):
        address_family = family
        allow_reuse_address = True
        daemon_threads = True

    class Tcp(socketserver.ThreadingTCPServer):
        address_family = family
        allow_reuse_address = True
        daemon_threads = True

    class OverUdp(socketserver.BaseRequestHandler):
        def handle(self):
            answer = zone.answer(self.request[0], False)
            if answer is not None:
                if len(answer) > 1232:
                    answer = answer[:2] + struct.pack(">HHHHH", 0x8780, 1, 0, 0, 0) + self.request[0][12:]
                    answer = answer[:name_in(answer, 12)[1] + 4]
                self.request[1].sendto(answer, self.client_address)

    class OverTcp(socketserver.StreamRequestHandler):
        def handle(self):
            while len(size := self.rfile.read(2)) == 2:
                answer = zone.answer(self.rfile.read(struct.unpack(">H", size)[0]), True)
                if answer is not None:
                    self.wfile.write(struct.pack(">H", len(answer) & 0xffff) + answer[:65535])

    udp = Udp((address, port), OverUdp)
    tcp = Tcp((address, udp.server_address[1]), OverTcp)
    for server in udp, tcp:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop():
        for server in udp, tcp:
            server.shutdown()
            server.server_close()

    return zone, udp.server_address[1], stop


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    threading.Event().wait()
