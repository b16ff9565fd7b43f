#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tells a baresip on 127.0.0.1:4444 what to do (its module ctrl_tcp): baresip.py COMMAND [PARAMETERS]

Prints the response, and fails when baresip does not take the command. Events that come in between are skipped.
"""
import json
import socket
import sys


def read(stream):
    """One netstring."""
    size = b""
    while (byte := stream.read(1)) != b":":
        if not byte.isdigit() or len(size) > 8:
            sys.exit("baresip hung up, or does not speak netstrings")
        size += byte
    text = stream.read(int(size))
    stream.read(1)
    return json.loads(text)


def main():
    command = {"command": sys.argv[1], "params": " ".join(sys.argv[2:]), "token": "test"}
    with socket.create_connection(("127.0.0.1", 4444), timeout=5) as connection:
        text = json.dumps(command).encode()
        connection.sendall(b"%d:%s," % (len(text), text))
        stream = connection.makefile("rb")
        while not (answer := read(stream)).get("response"):
            pass
    print(answer.get("data", ""))
    sys.exit(0 if answer.get("ok") else 1)


main()
