#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A call whose INVITE is 4,000 bytes long and reaches the edge in IP fragments, last ones first.

  large_invite.py callee ADDRESS                 waits for the INVITE, compares its body, takes the call
  large_invite.py caller ADDRESS EDGE SERVICE    sends the INVITE in fragments, then ACK and BYE
"""
import random
import socket
import struct
import sys

import sip

SIZE = 4000
ORDER = (3, 1, 4, 0, 2)  # the first fragment, with the UDP header, comes late
FRAGMENT = 808           # bytes of payload, a multiple of 8; five of them carry 4,008 bytes


def content(size):
    """The same bytes on both sides, whatever the size: every octet value, nothing that repeats."""
    return random.Random(4000).randbytes(5000)[:size]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff or 0xffff


def datagram(source, target, payload):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    size = 8 + len(payload)
    pseudo = ends + (struct.pack("!I3xB", size, 17) if family == socket.AF_INET6 else struct.pack("!xBH", 17, size))
    udp_header = struct.pack("!HHHH", 5060, 5060, size, 0)
    return ends, struct.pack("!HHHH", 5060, 5060, size, checksum(pseudo + udp_header + payload)) + payload


def fragments(source, target, payload):
    """IP packets of the datagram, in order."""
    ends, data = datagram(source, target, payload)
    identification = 0x4711
    for offset in range(0, len(data), FRAGMENT):
        piece = data[offset:offset + FRAGMENT]
        more = offset + FRAGMENT < len(data)
        if ":" in source:
            extension = struct.pack("!BxHI", 17, offset | more, identification)
            yield struct.pack("!IHBB", 6 << 28, 8 + len(piece), 44, 64) + ends + extension + piece
        else:
            yield struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(piece), identification,
                              offset >> 3 | more << 13, 64, 17, 0) + ends + piece


def send_scrambled(source, target, payload):
    """Raw sockets take whole IP packets; the kernel fills in the IPv4 header checksum."""
    pieces = list(fragments(source, target, payload))
    assert len(pieces) == len(ORDER)
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for index in ORDER:
        raw.sendto(pieces[index], (target, 0))


def caller(address, edge, service):
    sock = sip.udp(address, 5060)
    me, uri = sip.host(address), "sip:%s@%s:5060" % (service, sip.host(edge))
    call = [("From", "<sip:alice@%s>;tag=large" % me), ("Call-ID", "large@" + me)]

    def via(branch):
        return [("Via", "SIP/2.0/UDP %s:5060;branch=z9hG4bK%s" % (me, branch)), ("Max-Forwards", "70")]

    def invite(filler):
        headers = via("large1") + call + [("To", "<%s>" % uri), ("CSeq", "1 INVITE"),
                                          ("Contact", "<sip:alice@%s:5060>" % me),
                                          ("Content-Type", "application/octet-stream")]
        return sip.build("INVITE %s SIP/2.0" % uri, headers, content(filler))

    message = invite(SIZE - len(invite(1000)) + 1000)
    assert len(message) == SIZE
    send_scrambled(address, edge, message)
    answer, _ = sip.receive(sock, "SIP/2.0 200", accept=("SIP/2.0 1",))
    target = sip.header(answer, "Contact")[0].strip("<>")
    rest = call + [("To", sip.header(answer, "To")[0])]
    routes = [("Route", value) for value in reversed(sip.header(answer, "Record-Route"))]
    sock.sendto(sip.build("ACK %s SIP/2.0" % target, via("large2") + routes + rest + [("CSeq", "1 ACK")]), (edge, 5060))
    sock.sendto(sip.build("BYE %s SIP/2.0" % target, via("large3") + routes + rest + [("CSeq", "2 BYE")]), (edge, 5060))
    sip.receive(sock, "SIP/2.0 200", accept=("SIP/2.0 1", "SIP/2.0 200 Answered"))


def callee(address):
    sock = sip.udp(address, 5060, timeout=15)
    print("ready", flush=True)
    invite, peer = sip.receive(sock, "INVITE ")
    received = sip.body(invite)
    if received != content(len(received)) or len(received) != int(sip.header(invite, "Content-Length")[0]):
        raise SystemExit("the body was changed on its way: %d bytes received" % len(received))
    if len(invite) < SIZE:
        raise SystemExit("the INVITE lost bytes on its way: %d bytes received" % len(invite))
    contact = [("Contact", "<sip:bob@%s:5060>" % sip.host(address))]
    sock.sendto(sip.respond(invite, "200 Answered", "large", contact), peer)
    sip.receive(sock, "ACK ", accept=("INVITE ",))
    bye, peer = sip.receive(sock, "BYE ", accept=("ACK ",))
    sock.sendto(sip.respond(bye, "200 OK", "large"), peer)
    print("%d bytes, body of %d bytes unchanged" % (len(invite), len(received)))


if __name__ == "__main__":
    {"caller": caller, "callee": callee}[sys.argv[1]](*sys.argv[2:])
