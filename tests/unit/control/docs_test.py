#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds the tables in docs/ to the tables in the code.

docs_test.py DESCRIBE DOCS            fails when a document differs from what DESCRIBE prints
docs_test.py DESCRIBE DOCS --update   writes the tables into the documents
"""
import difflib
import pathlib
import subprocess
import sys

BEGIN = "<!-- generated: begin -->\n"
END = "<!-- generated: end -->\n"


def split(path):
    text = path.read_text()
    head, found_begin, rest = text.partition(BEGIN)
    body, found_end, tail = rest.partition(END)
    if not found_begin or not found_end:
        sys.exit(f"{path}: the marks of the generated part are missing")
    return head, body.strip("\n") + "\n", tail


def main():
    describe, docs = sys.argv[1], pathlib.Path(sys.argv[2])
    update = sys.argv[3:] == ["--update"]
    wrong = False
    for name in ("configuration", "metrics", "cdr"):
        path = docs / f"{name}.md"
        code = subprocess.run([describe, name], check=True, capture_output=True, text=True).stdout
        head, body, tail = split(path)
        if body == code:
            continue
        if update:
            path.write_text(head + BEGIN + "\n" + code + "\n" + END + tail)
            continue
        wrong = True
        print(f"{path} is not what the code says; run this test with --update")
        sys.stdout.writelines(difflib.unified_diff(
            body.splitlines(True), code.splitlines(True), f"docs/{name}.md", "the code", n=0))
    sys.exit(wrong)


main()
