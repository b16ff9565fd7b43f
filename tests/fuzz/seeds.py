#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""First inputs for the fuzz targets of dataplane/sip.

  seeds.py GOLDEN OUT [CORPORA]

Writes OUT/message, via, uri, edit, gather and compare, each file named by its content: the golden messages and, where they are
there, the torture messages, whole; and the Vias, URIs and addresses that stand in them.
"""
import hashlib
import itertools
import pathlib
import re
import sys

ADDRESS_HEADERS = rb"(?:From|f|To|t|Contact|m|Route|Record-Route|Refer-To|r|P-Asserted-Identity)"
EDITS = (0x7f, 0x3ff, 0x404, 0xc0c, 0x30000006, 0x1ff, 0x212, 0xc00)  # see add_edits() in tests/unit/sip/exercise.c

GATHERED = (0x7e, 0x01, 0xfe, 0x4c, 0x38)  # see enum gather_choice in tests/unit/proxy/exercise_gather.h

def unescape(text):
    """As tests/golden/README.md says."""
    marks = {b"r": b"\r", b"n": b"\n", b"\\": b"\\", b"c\n": b""}

    def one(match):
        if match[0] == b"\n":
            return b"\r\n"
        if match[1].startswith(b"x"):
            return bytes([int(match[1][1:], 16)])
        return marks.get(match[1], match[1])

    return re.sub(rb"\n|\\(x[0-9a-fA-F]{2}|c\n|.)", one, text, flags=re.DOTALL)


def write(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for content in contents:
        (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def values(message, names):
    return re.findall(rb"(?im)^" + names + rb"[ \t]*:[ \t]*((?:[^\r\n]|\r\n[ \t])*)", message)


def main():
    golden, out = map(pathlib.Path, sys.argv[1:3])
    messages = [unescape(path.read_bytes()) for path in sorted(golden.glob("*.sip"))]
    for corpora in sys.argv[3:]:
        messages += [path.read_bytes() for path in sorted(pathlib.Path(corpora).glob("rfc*/*"))]
    vias = set(itertools.chain.from_iterable(values(message, rb"(?:Via|v)") for message in messages))
    addresses = set(itertools.chain.from_iterable(values(message, ADDRESS_HEADERS) for message in messages))
    uris = {uri for message in messages for uri in re.findall(rb"(?:sips?|tel):[^\s<>\"]+", message)}
    pairs = [a + b"\n" + b for a, b in itertools.pairwise(sorted(uris))] + [uri + b"\n" + uri for uri in uris]
    write(out / "message", messages)
    write(out / "via", vias)
    write(out / "uri", addresses | uris)
    write(out / "edit",
          [edit.to_bytes(4, "little") + message for edit, message in zip(itertools.cycle(EDITS), messages)])
    write(out / "gather",
          [bytes([choice]) + b"\xc4\x13" + bytes(range(16)) + message
           for choice, message in zip(itertools.cycle(GATHERED), messages)])
    write(out / "compare", pairs)


if __name__ == "__main__":
    main()
