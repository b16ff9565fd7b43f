#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds docs/state-machines.md to the tables and to word.h.

docs_test.py DRAW SOURCE-ROOT            fails when the document differs from what DRAW prints
docs_test.py DRAW SOURCE-ROOT --update   writes it into the document

Moreover: every field of word.h is drawn, the drawing in word.h's own comment has the same bits, and the functions
that are said to write a field exist.
"""
import difflib
import pathlib
import re
import subprocess
import sys

BEGIN = "<!-- generated: begin -->\n"
END = "<!-- generated: end -->\n"


def split(path):
    head, found_begin, rest = path.read_text().partition(BEGIN)
    body, found_end, tail = rest.partition(END)
    if not found_begin or not found_end:
        sys.exit(f"{path}: the marks of the generated part are missing")
    return head, body.strip("\n") + "\n", tail


def differences(path, code, update):
    head, body, tail = split(path)
    if body == code:
        return []
    if update:
        path.write_text(head + BEGIN + "\n" + code + "\n" + END + tail)
        return []
    lines = difflib.unified_diff(body.splitlines(), code.splitlines(), path.name, "the code", n=0, lineterm="")
    return [f"{path} is not what the code says; run this test with --update", *lines]


def drawn_words(code):
    """{"server": bounds of its cells, ...} and the names of all fields."""
    drawings = re.findall(r"^### The (\w+) word\n\n```\n(.+)\n(.+)\n```", code, re.M)
    bounds = {name: re.findall(r"\d+", bits) for name, bits, _ in drawings}
    return bounds, {field for _, _, names in drawings for field in names.split()} - {"-"}


def word_h_differences(header, code):
    bounds, fields = drawn_words(code)
    macros = set(re.findall(r"#define BP_WORD_(\w+?)(?:_SHIFT\b| \(UINT64_C\(1\) <<)", header))
    wrong = [f"{name} is in word.h and is not drawn, or the other way round"
             for name in sorted({macro.lower() for macro in macros} ^ fields)]
    for name, drawn in bounds.items():
        comment = re.search(rf"^ \*   {name} word +(\d.*)$", header, re.M)
        if not comment or re.findall(r"\d+", comment[1]) != drawn:
            wrong.append(f"the comment of word.h draws other bits of the {name} word")
    if sorted(bounds) != ["branch", "server"]:
        wrong.append("the two words are not drawn")
    return wrong


def functions_missing(root, code):
    sources = "\n".join(path.read_text() for path in (root / "dataplane").rglob("*.c"))
    return [f"{name} is no function of the data path"
            for name in sorted(set(re.findall(r"`(bp_\w+)`", code))) if not re.search(rf"^{name}\(", sources, re.M)]


def main():
    draw, root = sys.argv[1], pathlib.Path(sys.argv[2])
    code = subprocess.run([draw], check=True, capture_output=True, text=True).stdout.strip("\n") + "\n"
    wrong = differences(root / "docs/state-machines.md", code, sys.argv[3:] == ["--update"])
    wrong += word_h_differences((root / "dataplane/transaction/word.h").read_text(), code)
    wrong += functions_missing(root, code)
    print("\n".join(wrong) or "the drawings are what the code says")
    sys.exit(bool(wrong))


main()
