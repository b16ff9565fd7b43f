#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Caller and callee that never hear the first copy of anything: whoever sent it must send it again.

  deaf.py callee ADDRESS CALLS answer|cancel
  deaf.py caller ADDRESS EDGE CALLS answer|cancel

Between two of them every message of both textbook calls is lost once on each leg. Exit 0 when every call came to
its right end, on both sides.
"""
import heapq
import socket
import sys
import time

import sip

T1 = 0.1          # first interval of a retransmission, then doubled
GIVE_UP = 20      # seconds for everything
QUIET = 1.0       # seconds of silence after the last call that end the program


class End:
    """One side: drops first copies, repeats what is unanswered, hands the rest to on_message."""

    def __init__(self, address, calls):
        self.sock = sip.udp(address, 5060)
        self.me = sip.host(address)
        self.left = calls
        self.heard = set()
        self.repeats = {}  # key -> (message, peer, interval)
        self.queue = []

    def repeat(self, key, message, peer, interval=T1):
        self.sock.sendto(message, peer)
        self.repeats[key] = (message, peer, interval)
        heapq.heappush(self.queue, (time.monotonic() + interval, key))

    def later(self, delay, key, message, peer):
        """The same, but its first copy is sent after `delay`."""
        self.repeats[key] = (message, peer, T1 / 2)
        heapq.heappush(self.queue, (time.monotonic() + delay, key))

    def settle(self, key):
        self.repeats.pop(key, None)

    def on_timers(self):
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, key = heapq.heappop(self.queue)
            if key in self.repeats:
                message, peer, interval = self.repeats[key]
                self.repeat(key, message, peer, interval * 2)

    def run(self):
        begin = last = time.monotonic()
        while self.left or self.repeats or time.monotonic() - last < QUIET:
            if time.monotonic() - begin > GIVE_UP:
                raise SystemExit("%d calls not over; unanswered: %s" % (self.left, sorted(self.repeats)[:20]))
            self.on_timers()
            self.sock.settimeout(max(0.001, self.queue[0][0] - time.monotonic()) if self.queue else 0.1)
            try:
                message, peer = self.sock.recvfrom(65536)
            except (socket.timeout, BlockingIOError):
                continue
            last = time.monotonic()
            if message not in self.heard:
                self.heard.add(message)
                continue
            method = sip.header(message, "CSeq")[0].split()[1]
            self.on_message(message, peer, method, sip.header(message, "Call-ID")[0])


class Caller(End):
    def __init__(self, address, edge, calls, mode):
        super().__init__(address, calls)
        self.edge, self.cancelling = (edge, 5060), mode == "cancel"
        self.uri = "sip:bob@%s:5060" % sip.host(edge)
        self.state = {}
        for number in range(calls):
            call = "deaf-%s-%d" % (mode, number)
            self.state[call] = "calling"
            self.repeat((call, "INVITE"), self.request("INVITE", call), self.edge)

    def request(self, method, call, branch=None, to=None, target=None, routes=(), cseq=1):
        via = "SIP/2.0/UDP %s:5060;branch=z9hG4bK%s%s" % (self.me, call, branch or method)
        headers = [("Via", via), ("Max-Forwards", "70")] + [("Route", route) for route in routes]
        headers += [("From", "<sip:alice@%s>;tag=a%s" % (self.me, call)), ("To", to or "<%s>" % self.uri)]
        headers += [("Call-ID", call), ("CSeq", "%d %s" % (cseq, method)), ("Contact", "<sip:alice@%s:5060>" % self.me)]
        return sip.build("%s %s SIP/2.0" % (method, target or self.uri), headers)

    def on_message(self, message, peer, method, call):
        status = int(sip.start(message).split()[1])
        if method != "INVITE":
            if status != 200:
                raise SystemExit("%s of %s got %d" % (method, call, status))
            self.settle((call, method))
            if method == "BYE" and self.state[call] == "leaving":
                self.over(call)
            return
        self.settle((call, "INVITE"))
        to = sip.header(message, "To")[0]
        if status < 200:
            if self.cancelling and self.state[call] == "calling":
                self.state[call] = "cancelling"
                self.later(0.3, (call, "CANCEL"), self.request("CANCEL", call, "INVITE"), self.edge)
        elif status == 200 and not self.cancelling:
            routes = list(reversed(sip.header(message, "Record-Route")))
            target = sip.header(message, "Contact")[0].strip("<>")
            self.sock.sendto(self.request("ACK", call, None, to, target, routes), self.edge)
            if self.state[call] == "calling":
                self.state[call] = "leaving"
                bye = self.request("BYE", call, None, to, target, routes, 2)
                self.later(1.0, (call, "BYE"), bye, self.edge)  # after the callee's second 200
        elif status == 487 and self.cancelling:
            self.sock.sendto(self.request("ACK", call, "INVITE", to), self.edge)
            if self.state[call] == "cancelling":
                self.over(call)
        else:
            raise SystemExit("%s got %d" % (call, status))

    def over(self, call):
        self.state[call] = "over"
        self.left -= 1


class Callee(End):
    def __init__(self, address, calls, mode):
        super().__init__(address, calls)
        self.cancelling = mode == "cancel"
        self.invites = {}
        self.over = set()
        print("ready", flush=True)

    def on_message(self, message, peer, method, call):
        contact = [("Contact", "<sip:bob@%s:5060>" % self.me)]
        first = method == "INVITE" and call not in self.invites
        if first:
            self.invites[call] = message
        if method == "INVITE" and (first or self.cancelling):
            self.sock.sendto(sip.respond(message, "180 Ringing", "b" + call, contact), peer)
            if first and not self.cancelling:
                self.repeat((call, "final"), sip.respond(message, "200 OK", "b" + call, contact), peer)
        elif method == "CANCEL":
            self.sock.sendto(sip.respond(message, "200 OK", "b" + call), peer)
            if call not in self.over and (call, "final") not in self.repeats:
                gone = sip.respond(self.invites[call], "487 Request Terminated", "b" + call)
                self.repeat((call, "final"), gone, peer)
        elif method == "ACK":
            self.settle((call, "final"))
            if self.cancelling:
                self.end(call)
        elif method == "BYE":
            self.sock.sendto(sip.respond(message, "200 OK", "b" + call), peer)
            self.end(call)

    def end(self, call):
        if call not in self.over:
            self.over.add(call)
            self.left -= 1


if __name__ == "__main__":
    if sys.argv[1] == "caller":
        Caller(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]).run()
    else:
        Callee(sys.argv[2], int(sys.argv[3]), sys.argv[4]).run()
    print("every call came to its right end")
