#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""control/dns with c-ares against name servers on loopback: RFC 3263 end to end, servers that are dead, slow or hostile.

usage: dns_test.py DNS-PROBE
"""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../e2e/tools"))
import name_server  # noqa: E402

ZONE = """
full.test 60 NAPTR 50 50 s SIP+D2T _sip._tcp.full.test
full.test 60 NAPTR 90 50 s SIP+D2U _sip._udp.other.test
_sip._udp.other.test 60 SRV 20 1 5070 b.other.test
_sip._udp.other.test 60 SRV 10 5 5060 a.other.test
a.other.test 60 A 192.0.2.11
a.other.test 60 AAAA 2001:db8::11
b.other.test 60 CNAME real.other.test
real.other.test 60 A 192.0.2.12
full.test 60 A 192.0.2.99
srv.test 60 A 192.0.2.98
_sip._udp.srv.test 60 SRV 1 1 5080 a.other.test
host.test 60 A 192.0.2.13
tcp.test 60 NAPTR 1 1 s SIP+D2T _sip._tcp.tcp.test
tcp.test 60 A 192.0.2.97
own.test 60 A 192.0.2.1
own.test 60 A 127.0.0.1
own.test 60 A 0.0.0.0
own.test 60 A 224.0.0.1
own.test 60 AAAA ::1
own.test 60 AAAA fe80::1
own.test 60 AAAA ff02::1
some.test 60 A 10.0.0.1
some.test 60 A 192.0.2.14
cut.test 60 CUT
cut.test 60 A 192.0.2.15
late.test 60 LATE
late.test 60 A 192.0.2.16
silent.test 60 SILENT
broken.test 60 SERVFAIL
junk.test 60 JUNK
loop.test 60 LOOP
huge.test 60 HUGE
half.test 60 A 192.0.2.17
_sip._udp.half.test 60 SRV 1 1 5060 silent.test
_sip._udp.half.test 60 SRV 2 1 5060 host.test
short.test 1 A 192.0.2.18
trunk.test 1 A 192.0.2.19
"""

CONFIG = """
dns: {{ servers: [{servers}], timeout: 200ms, tries: 2, min_ttl: 1s, negative_ttl: 2s }}
ports:
  - {{ name: p0, device: "net_tap0,iface=byp0" }}
realms:
  - {{ name: access, port: p0, address: [192.0.2.1/24, 10.0.0.1/24, "2001:db8::1/64"] }}
trunks:
  - {{ name: core, realm: access, targets: [{{ uri: "sip:trunk.test:5090" }}] }}
routes:
  - {{ from: access, trunk: core }}
"""

failures = 0


def check(what, found, expected):
    global failures
    if found != expected:
        failures += 1
        print(f"{what}: found {found!r}, expected {expected!r}")


class Probe:
    def __init__(self, program, directory, servers):
        path = os.path.join(directory, "edge.yaml")
        with open(path, "w") as stream:
            stream.write(CONFIG.format(servers=", ".join(f'"{server}"' for server in servers)))
        self.process = subprocess.Popen([program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def ask(self, host, port=0):
        return self.say(f"ask {host} {port}")

    def look(self, host, port=0):
        return self.say(f"look {host} {port}")

    def counters(self):
        return {key: int(value) for key, value in (pair.split("=") for pair in self.say("counters").split())}

    def until(self, host, port, expected):
        """What is known comes to be as expected, in time."""
        for _ in range(200):
            found = self.look(host, port)
            if found == expected:
                break
            time.sleep(0.05)
        check(f"{host}:{port} in the end", found, expected)

    def end(self):
        self.process.stdin.close()
        check("exit status", self.process.wait(30), 0)


def test_names(probe, zone):
    check("NAPTR, SRV, AAAA, A, CNAME", probe.ask("full.test"),
          "found 2001:db8::11/5060/10/5 192.0.2.11/5060/10/5 192.0.2.12/5070/20/1")
    check("with a port", probe.ask("full.test", 5099), "found 192.0.2.99/5099/0/0")
    check("SRV without NAPTR", probe.ask("Srv.Test."), "found 2001:db8::11/5080/1/1 192.0.2.11/5080/1/1")
    check("a host", probe.ask("host.test"), "found 192.0.2.13/5060/0/0")
    check("TCP alone", probe.ask("tcp.test"), "none")
    check("no such name", probe.ask("nobody.test"), "none")
    check("the edge itself, loopback, multicast", probe.ask("own.test"), "none")
    check("an address of ours and another", probe.ask("some.test"), "found 192.0.2.14/5060/0/0")
    check("truncated, then over TCP", probe.ask("cut.test"), "found 192.0.2.15/5060/0/0")
    check("late", probe.ask("late.test", 5060), "found 192.0.2.16/5060/0/0")
    asked = len(zone.asked)
    check("from the cache", probe.ask("full.test", 5099), "found 192.0.2.99/5099/0/0")
    check("queries for what is known", [q for q in zone.asked[asked:] if q[0] != "trunk.test"], [])


def test_trouble(probe):
    check("silence", probe.ask("silent.test"), "failed")
    check("SERVFAIL", probe.ask("broken.test"), "failed")
    check("junk", probe.ask("junk.test"), "failed")
    check("aliases that go round", probe.ask("loop.test"), "failed")
    check("3,000 addresses", probe.ask("huge.test", 5060), "failed")
    check("one server's address is not to be had", probe.ask("half.test"), "found 192.0.2.13/5060/2/1")
    counters = probe.counters()
    check("refused addresses", counters["refused"], 8)
    check("failures are counted", counters["query_failures"] > 0 and counters["failed"] >= 5, True)


def test_time(probe, path):
    check("short", probe.ask("short.test"), "found 192.0.2.18/5060/0/0")
    with open(path) as stream:
        zone = stream.read()
    with open(path, "w") as stream:
        stream.write(zone.replace("192.0.2.18", "192.0.2.28").replace("192.0.2.19", "192.0.2.29"))
    probe.until("short.test", 0, "found 192.0.2.28/5060/0/0")  # looked at, so it is asked for again
    probe.until("trunk.test", 5090, "found 192.0.2.29/5090/0/0")


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "zone")
        with open(path, "w") as stream:
            stream.write(ZONE)
        zone, port, stop = name_server.serve("127.0.0.1", 0, path)
        # the first server is dead: the second one answers
        dead = name_server.socket.socket(name_server.socket.AF_INET, name_server.socket.SOCK_DGRAM)
        dead.bind(("127.0.0.1", 0))
        probe = Probe(program, directory, [f"127.0.0.1:{port}"])
        probe.until("trunk.test", 5090, "found 192.0.2.19/5090/0/0")
        test_names(probe, zone)
        test_trouble(probe)
        test_time(probe, path)
        stop()
        probe.until("trunk.test", 5090, "failed")  # all servers are gone
        _, _, stop = name_server.serve("127.0.0.1", port, path)
        probe.until("trunk.test", 5090, "found 192.0.2.29/5090/0/0")
        probe.end()
        probe = Probe(program, directory, [f"127.0.0.1:{dead.getsockname()[1]}", f"127.0.0.1:{port}"])
        check("the first server is silent", probe.ask("host.test", 5060), "found 192.0.2.13/5060/0/0")
        probe.end()
        stop()
    print("failed" if failures else "good")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
