# SPDX-License-Identifier: BSD-3-Clause
"""Just enough SIP for a caller and a callee that SIPp cannot be: messages as text, header lookup, sockets."""
import socket


def header(message, name):
    """All values of a header, in order."""
    head = message.split(b"\r\n\r\n", 1)[0]
    prefix = name.lower().encode() + b":"
    return [line.split(b":", 1)[1].strip().decode()
            for line in head.split(b"\r\n")[1:] if line.lower().startswith(prefix)]


def body(message):
    return message.split(b"\r\n\r\n", 1)[1]


def start(message):
    return message.split(b"\r\n", 1)[0].decode(errors="replace")


def build(first, headers, content=b""):
    lines = [first] + ["%s: %s" % pair for pair in headers] + ["Content-Length: %d" % len(content), "", ""]
    return "\r\n".join(lines).encode() + content


def respond(request, status, tag, extra=()):
    """A response to a request: Via, From, To, Call-ID, CSeq and Record-Route copied, a To tag added."""
    headers = [("Via", via) for via in header(request, "Via")]
    headers += [("Record-Route", value) for value in header(request, "Record-Route")]
    to = header(request, "To")[0]
    headers += [("From", header(request, "From")[0]), ("To", to if ";tag=" in to else to + ";tag=" + tag)]
    headers += [("Call-ID", header(request, "Call-ID")[0]), ("CSeq", header(request, "CSeq")[0])]
    return build("SIP/2.0 " + status, headers + list(extra))


def host(address):
    return "[%s]" % address if ":" in address else address


def udp(address, port, timeout=5):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, port))
    sock.settimeout(timeout)
    return sock


def receive(sock, wanted, accept=()):
    """The next message whose start line contains `wanted`; those that contain one of `accept` are passed over."""
    while True:
        message, peer = sock.recvfrom(65536)
        if wanted in start(message):
            return message, peer
        if not any(text in start(message) for text in accept):
            raise SystemExit("expected %s, received:\n%s" % (wanted, message.decode(errors="replace")))
