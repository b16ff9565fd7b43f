#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The daemon's life and its API on real sockets, on a data path that is not there (fake_dataplane.c), and byepassctl.

daemon_test.py BYEPASS_FAKE BYEPASSCTL DOCS_METRICS
"""
import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

DAEMON, CTL, DOCS = sys.argv[1:4]
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
TEST = os.getpid()
CONFIG = """
drain: {drain}
trace: {{ messages: 10000 }}
control: {{ http: "{http}", socket: {socket} }}
ports: [{{ name: p0, device: net_tap0 }}, {{ name: p1, device: net_tap1 }}]
realms:
  - {{ name: access, port: p0, address: 192.0.2.1/24 }}
  - {{ name: core, port: p1, address: 10.0.0.1/24, trust: trusted }}
trunks: [{{ name: core, realm: core, targets: [{{ uri: "sip:10.0.0.2" }}], probe: {{ interval: 5s }} }}]
routes: [{{ from: access, trunk: core }}]
"""
EVENTS = 28  # of the two calls and the hostile message of fake_dataplane.c
SAMPLE = re.compile(r'^(byepass_[a-z0-9_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)*)\})? (-?[0-9]+(?:\.[0-9]+)?)$')


def die_with_parent():
    """In a child: no daemon is left behind, however the test ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != TEST:
        os._exit(1)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("byepass", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Edge:
    """A daemon in a folder of its own."""

    def __init__(self, folder, drain="1h", address="127.0.0.1", tcp=None, environment=None):
        self.folder = folder
        self.tcp = tcp or free_port(address)
        self.address = address
        self.socket = folder / "run/control.sock"
        shown = f"[{address}]" if ":" in address else address
        (folder / "edge.yaml").write_text(
            CONFIG.format(drain=drain, http=f"{shown}:{self.tcp}", socket=self.socket))
        self.process = subprocess.Popen(
            [DAEMON, "--config", str(folder / "edge.yaml")], stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)
        self.log = []

    def wait_for(self, event):
        """Reads the log up to a line of this event. None: the daemon ended without one."""
        for line in self.process.stderr:
            self.log.append(line)
            if f" event={event} " in line or line.endswith(f" event={event}\n"):
                return line
        return None

    def started(self):
        assert self.wait_for("started"), self.log
        return self

    def traced(self):
        """Started, and the main loop has taken the events of the fake data path."""
        self.started()
        while len(self.json("/v1/trace")[1]["messages"]) < EVENTS:
            pass
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """Waits for the end. Returns the exit code and the whole log."""
        self.log += self.process.stderr.readlines()
        return self.process.wait(), "".join(self.log)

    def get(self, path, unix=True, method="GET", body=None):
        connection = UnixConnection(self.socket) if unix else http.client.HTTPConnection(
            self.address, self.tcp, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def json(self, path):
        status, _, body = self.get(path)
        return status, json.loads(body)

    def ctl(self, *arguments):
        return subprocess.run([CTL, "--socket", str(self.socket), *arguments], capture_output=True, text=True,
                              timeout=60)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def free_port(address="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Case(unittest.TestCase):
    def edge(self, **options):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        edge = Edge(pathlib.Path(folder.name), **options)
        self.addCleanup(edge.close)
        return edge


class Api(Case):
    def setUp(self):
        self.up = self.edge().traced()

    def test_health_on_both_sockets(self):
        for unix in (True, False):
            for path in ("/healthz", "/readyz", "/v1/status", "/metrics"):
                status, headers, _ = self.up.get(path, unix)
                self.assertEqual((path, status), (path, 200))
                self.assertEqual(headers["Cache-Control"], "no-store")

    def test_metrics_parse_back(self):
        status, headers, text = self.up.get("/metrics", unix=False)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        helped, typed, samples, current = {}, {}, {}, None
        self.assertTrue(text.endswith("\n"))
        for line in text.splitlines():
            if line.startswith("# HELP "):
                _, _, current, said = line.split(" ", 3)
                self.assertNotIn(current, helped)
                self.assertTrue(said)
                helped[current] = said
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertEqual(name, current)
                self.assertIn(kind, ("counter", "gauge", "summary"))
                self.assertEqual(kind == "counter", name.endswith("_total"), name)
                typed[name] = kind
            else:
                match = SAMPLE.match(line)
                self.assertTrue(match, line)
                if typed[current] == "summary":
                    self.assertIn(match[1], (current + "_sum", current + "_count"))
                else:
                    self.assertEqual(match[1], current)
                key = (match[1], match[2])
                self.assertNotIn(key, samples)
                samples[key] = float(match[3])
        self.assertEqual(set(helped), set(typed))
        self.assertEqual(samples["byepass_messages_received_total", None], 20)
        self.assertEqual(samples["byepass_counting_law_holds", None], 1)
        self.assertEqual(samples["byepass_sip_responses_total", 'direction="out",code="487"'], 1)
        parts = sum(value for (name, _), value in samples.items() if name == "byepass_messages_total")
        self.assertEqual(parts, 20)
        documented = set(re.findall(r"^\| `(byepass_[a-z_]+)` \|", pathlib.Path(DOCS).read_text(), re.M))
        self.assertEqual(set(helped), documented)
        self.assertEqual(samples["byepass_kpi_session_requests_total", 'trunk="core"'], 10)
        self.assertEqual(samples["byepass_kpi_srd_seconds_sum", 'trunk="core",result="successful"'], 1.25)
        empty = set(helped) - {re.sub("_(sum|count)$", "", name) for name, _ in samples}
        self.assertEqual(empty, set())

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool(self):
        _, _, text = self.up.get("/metrics")
        run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def test_errors_are_json(self):
        for method, path, status in (("GET", "/", 404), ("GET", "/v1/calls/x/ladder", 404), ("POST", "/metrics", 405),
                                     ("PUT", "/v1/config", 405), ("GET", "/v1/trace?max=0", 400)):
            found, headers, body = self.up.get(path, False, method, "x" * 100000 if method != "GET" else None)
            self.assertEqual((path, found), (path, status))
            self.assertEqual(headers["Content-Type"], "application/json")
            self.assertEqual(json.loads(body)["error"]["status"], status)
            self.assertEqual(headers["Allow"], "GET, HEAD" if status == 405 else None)

    def test_head_has_no_body(self):
        status, headers, body = self.up.get("/metrics", method="HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 1000)

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.up.tcp), timeout=30) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(65536)
            except OSError:  # refused while it was still being sent
                return b""

    def test_nonsense_and_excess(self):
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
        self.assertNotIn(b" 200 ", self.raw(head + b"X: " + b"y" * 100000 + b"\r\n\r\n"))
        self.assertNotIn(b" 200 ", self.raw(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"))
        self.assertNotIn(b" 200 ", self.raw(head + b"X: y\r\n" * 20000 + b"\r\n"))
        for data in (b"\x00\xff\x16\x03\x01", b"GET\r\n\r\n", b"INVITE sip:bob@example.com SIP/2.0\r\n\r\n",
                     b"GET /v1/calls/%00/ladder HTTP/1.0\r\n\r\n", b"GET /%ff%1b%5b HTTP/1.0\r\n\r\n"):
            self.assertNotIn(b" 200 ", self.raw(data))
        self.assertEqual(self.up.get("/healthz", unix=False)[0], 200)

    def test_connections_are_limited(self):
        idle = [socket.create_connection(("127.0.0.1", self.up.tcp), timeout=30) for _ in range(80)]
        self.assertEqual(self.up.get("/healthz")[0], 200)  # the other socket has places of its own
        for connection in idle:
            connection.close()
        self.assertEqual(self.up.get("/healthz", unix=False)[0], 200)

    def test_hostile_text_is_cleaned(self):
        _, answer = self.up.json("/v1/trace")
        evil = answer["messages"][-1]
        self.assertEqual(evil["call_id"], 'evil?[2J?"?')
        self.assertEqual(evil["start_line"], "EV?IL? sip:? SIP/2.0")


class Ctl(Case):
    def setUp(self):
        self.up = self.edge().traced()

    def test_status(self):
        run = self.up.ctl("status")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("counting law   holds\n", run.stdout)
        self.assertRegex(run.stdout, r"port p1 +up, in 1001 packets")
        self.assertEqual(json.loads(self.up.ctl("status", "--json").stdout)["state"], "running")

    def test_drops(self):
        run = self.up.ctl("drops")
        self.assertRegex(run.stdout, r"(?m)^ +7  noise    frame    arp_foreign: ")
        self.assertNotIn("vlan_unknown", run.stdout)
        self.assertIn("vlan_unknown", self.up.ctl("drops", "--all").stdout)
        self.assertIn("drops", json.loads(self.up.ctl("drops", "--json").stdout))

    def test_ladder(self):
        run = self.up.ctl("ladder", "answered/call?@192.0.2.10")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("|--- BYE ---", run.stdout)
        run = self.up.ctl("--json", "ladder", "cancelled@192.0.2.10")
        self.assertEqual(len(json.loads(run.stdout)["messages"]), 14)

    def test_trace(self):
        run = self.up.ctl("trace", "--max", "2")
        self.assertEqual(len(run.stdout.splitlines()), 2)
        self.assertIn("<- 192.0.2.66:5060", run.stdout)

    def test_metrics(self):
        self.assertIn("byepass_build_info{", self.up.ctl("metrics").stdout)

    def test_url(self):
        url = f"http://127.0.0.1:{self.up.tcp}"
        run = subprocess.run([CTL, "--url", url, "status"], capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_exit_codes(self):
        self.assertEqual(self.up.ctl("ladder", "nobody").returncode, 1)
        self.assertIn("no message of call nobody", self.up.ctl("ladder", "nobody").stderr)
        self.assertEqual(self.up.ctl("trace", "--max", "x").returncode, 1)
        for arguments in ((), ("reload",), ("status", "now"), ("ladder",), ("--color", "status")):
            self.assertEqual(self.up.ctl(*arguments).returncode, 2, arguments)
        self.assertEqual(self.up.ctl("--help").returncode, 0)
        self.assertIn("byepassctl ", self.up.ctl("--version").stdout)
        run = self.up.ctl("--socket", str(self.up.folder / "nothing"), "status")
        self.assertEqual(run.returncode, 3)
        self.assertIn("No such file or directory (is byepass running", run.stderr)
        run = self.up.ctl("--url", f"http://127.0.0.1:{free_port()}", "status")
        self.assertEqual(run.returncode, 3)
        self.assertIn("Connection refused", run.stderr)


class Life(Case):
    def test_term_without_calls(self):
        edge = self.edge().started()
        edge.signal(signal.SIGTERM)
        code, log = edge.end()
        self.assertEqual(code, 0)
        self.assertIn(" event=drained ", log)
        self.assertFalse(edge.socket.exists())

    def test_drain_waits_for_calls(self):
        edge = self.edge(environment={"FAKE_DIALOGS": "3", "FAKE_ENDS_AFTER": "50"}).started()
        edge.signal(signal.SIGTERM)
        self.assertIn("signal=SIGTERM transactions=0 dialogs=3 longest_s=3600", edge.wait_for("drain"))
        status, answer = edge.json("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("draining", answer["error"]["message"])
        self.assertEqual(edge.json("/healthz")[0], 200)
        self.assertEqual(edge.json("/v1/status")[1]["state"], "draining")
        code, log = edge.end()
        self.assertEqual(code, 0)
        self.assertIn(" event=drained ", log)

    def test_drain_ends(self):
        edge = self.edge(drain="0s", environment={"FAKE_DIALOGS": "2"}).started()
        edge.signal(signal.SIGINT)
        code, log = edge.end()
        self.assertEqual(code, 0)
        self.assertIn("transactions_cut=0 dialogs_cut=2", log)

    def test_second_signal(self):
        edge = self.edge(environment={"FAKE_DIALOGS": "2"}).started()
        edge.signal(signal.SIGTERM)
        edge.wait_for("drain")
        edge.signal(signal.SIGTERM)
        code, log = edge.end()
        self.assertEqual(code, 1)
        self.assertIn("second signal", log)
        self.assertIn("the data path was abandoned", log)  # what would outlive the process is undone
        self.assertFalse(edge.socket.exists())

    def test_hangup_is_said_and_ignored(self):
        edge = self.edge().started()
        edge.signal(signal.SIGHUP)
        self.assertIn("not supported yet", edge.wait_for("reload"))
        self.assertEqual(edge.json("/readyz")[0], 200)

    def test_log_lines(self):
        edge = self.edge().started()
        edge.signal(signal.SIGTERM)
        _, log = edge.end()
        for line in log.splitlines():
            self.assertRegex(line, r'^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(error|warning|notice|info)'
                                   r' event=[a-z_]+( [a-z_]+=("[^"]*"|[^ "]+))*$')
        self.assertIn("text=\"no huge pages: 'slower'\"", log)
        self.assertIn("no secrets.file", log)

    def test_port_taken(self):
        first = self.edge().started()
        second = self.edge(tcp=first.tcp)
        code, log = second.end()
        self.assertEqual(code, 1)
        self.assertIn(f"control.http 127.0.0.1:{first.tcp} is taken", log)
        self.assertNotIn("event=started", log)
        self.assertFalse(second.socket.exists())
        self.assertEqual(first.json("/healthz")[0], 200)

    def test_socket_taken(self):
        first = self.edge().started()
        config = first.folder / "edge.yaml"
        config.write_text(config.read_text().replace(str(first.tcp), str(free_port())))
        run = subprocess.run([DAEMON, "--config", str(config)], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 1)
        self.assertIn(f"control.socket {first.socket} is taken", run.stderr)
        self.assertEqual(first.json("/healthz")[0], 200)

    def test_stale_socket_is_replaced(self):
        edge = self.edge(environment={"FAKE_DIALOGS": "1"}).started()
        edge.process.kill()
        edge.process.wait()
        self.assertTrue(edge.socket.exists())
        again = Edge(edge.folder)
        self.addCleanup(again.close)
        again.started()
        self.assertEqual(again.json("/healthz")[0], 200)
        self.assertEqual(edge.socket.stat().st_mode & 0o777, 0o660)

    def test_file_in_the_way(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "run/control.sock"
        path.parent.mkdir()
        path.write_text("precious")
        edge = Edge(pathlib.Path(folder.name))
        self.addCleanup(edge.close)
        code, log = edge.end()
        self.assertEqual(code, 1)
        self.assertIn("a file that is no socket is in the way", log)
        self.assertEqual(path.read_text(), "precious")

    def test_data_path_does_not_start(self):
        edge = self.edge(environment={"FAKE_START_FAILS": "1"})
        code, log = edge.end()
        self.assertEqual(code, 1)
        self.assertIn("level=error event=start_failed text=\"port 'p0': no such device\"", log)
        self.assertFalse(edge.socket.exists())

    def test_ipv6(self):
        try:
            edge = self.edge(address="::1").started()
        except OSError:
            self.skipTest("no IPv6 here")
        self.assertEqual(edge.get("/healthz", unix=False)[0], 200)

    def test_no_daemon_outlives_its_test(self):
        """A child that goes about it as the tests do, and is killed."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            global TEST
            TEST = os.getpid()
            edge = Edge(pathlib.Path(folder.name))
            edge.started()
            os.write(write, b"%d" % edge.process.pid)
            signal.pause()
        os.close(write)
        daemon = int(os.read(read, 20))
        os.close(read)
        watched = os.pidfd_open(daemon)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        gone = select.select([watched], [], [], 30)[0]
        os.close(watched)
        if not gone:
            os.kill(daemon, signal.SIGKILL)
        self.assertTrue(gone)

    def test_law_is_off(self):
        edge = self.edge(environment={"FAKE_LOST": "1"}).started()
        self.assertEqual(edge.json("/v1/status")[1]["counting_law"], "off by 1: 20 received, 19 accounted for")

    def test_more_than_the_machine_has(self):
        edge = self.edge(environment={"FAKE_START_FAILS": "1"})
        edge.end()
        path = edge.folder / "edge.yaml"
        run = subprocess.run([DAEMON, "--check", "--config", str(path)], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "FAKE_NO_MEMORY": "1"})
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn(f"{path}: capacity: too much\n", run.stderr)

    def test_command_line(self):
        def run(*arguments):
            return subprocess.run([DAEMON, *arguments], capture_output=True, text=True, timeout=60)
        self.assertRegex(run("--version").stdout, r"^byepass \d+\.\d+\.\d+\n$")
        self.assertIn("--check", run("--help").stdout)
        for arguments in ((), ("--check",), ("--config",), ("--config", "x", "y"), ("--verbose",)):
            self.assertEqual(run(*arguments).returncode, 1, arguments)


unittest.main(argv=sys.argv[:1], verbosity=1)
