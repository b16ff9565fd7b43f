#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads call detail records, each line of each finished file, and says what they are.

cdrs.py FOLDER [KIND/WHY/CODE=COUNT...]   fails when a line is torn, an id stands twice, or a count is another
"""
import collections
import csv
import json
import pathlib
import sys


def records(path):
    text = path.read_bytes()
    if not text.endswith(b"\n"):
        sys.exit(f"{path}: the last line is torn")
    if path.suffix == ".csv":
        return list(csv.DictReader(text.decode().splitlines()))
    return [json.loads(line) for line in text.decode().splitlines()]


def check(record):
    assert record["start"] <= record["end"], record
    assert record["calling"] == "alice" and record["realm_in"] == "access", record
    if record["kind"] == "dialog":
        assert record["answer"] >= record["start"] and record["trunk_out"] == "core", record
        assert 0 <= int(record["duration_ms"]) < 60000, record


def main():
    found, ids = collections.Counter(), set()
    for path in sorted(pathlib.Path(sys.argv[1]).glob("cdr-*")):
        if path.suffix == ".part":
            continue
        for record in records(path):
            check(record)
            assert record["id"] not in ids, record
            ids.add(record["id"])
            found[f"{record['kind']}/{record['why']}/{record['code']}"] += 1
    print(len(ids), "records:", dict(found))
    for wanted in sys.argv[2:]:
        name, count = wanted.rsplit("=", 1)
        if found[name] != int(count):
            sys.exit(f"{found[name]} of {name}, expected {count}")
    if len(sys.argv) > 2 and len(found) > len(sys.argv) - 2:
        sys.exit("others are too many")


main()
