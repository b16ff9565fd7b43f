#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""closed_port.py ADDRESS PORT: sends a datagram there; exit 0 if ICMP says that the port is closed."""
import socket
import sys

address, port = sys.argv[1], int(sys.argv[2])
sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(2)
sock.connect((address, port))
sock.send(b"is anybody there?")
try:
    sock.recv(100)
except ConnectionRefusedError:
    sys.exit(0)
except TimeoutError:
    sys.exit("no ICMP error came back")
sys.exit("something answered")
