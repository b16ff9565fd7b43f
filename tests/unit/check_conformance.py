#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every test that docs/conformance.md names exists and is run, and every local link in the documents leads somewhere.

check_conformance.py SOURCE-ROOT BUILD

In the columns headed "test", parts are separated by ";", items by ",":
  flows/FILE [TEST, TEST...]     a file of tests/flows, or some of its tests
  unit-ROOM-WHAT                 a test of meson's
  WHAT [(TEST, TEST...)]         tests/unit/sip/test_WHAT.c, or some of its tests
  golden `NAME`, `NAME`...       tests/golden/NAME.sip; * stands for anything
The table of torture messages names those of tests/unit/sip/test_torture.c.
"""
import json
import pathlib
import re
import sys

root, build = map(pathlib.Path, sys.argv[1:3])
meson = {test["name"] for test in json.loads((build / "meson-info/intro-tests.json").read_text())}
wrong = []
named = 0


def need(there, where, text):
    global named
    named += 1
    if not there:
        wrong.append(f"{where}: {text}")


def tests_of(source):
    """Names that stand in a cmocka table."""
    if not source.exists():
        return set()
    return set(re.findall(r"\b(?:cmocka_unit|flow)_test\w*\(\s*(\w+)", source.read_text()))


def check_source(where, directory, room, name, tests):
    need(f"{room}-{name}" in meson, where, f"meson has no test {room}-{name}")
    found = tests_of(root / directory / f"test_{name}.c")
    for test in tests:
        need(test in found, where, f"{directory}/test_{name}.c runs no test {test}")


def check_part(where, part):
    if part.startswith("golden"):
        for name in re.findall(r"`([^`]+)`", part):
            if not name.startswith("---"):
                need(any((root / "tests/golden").glob(name + ".sip")), where, f"no golden message {name}")
        return
    flows = re.fullmatch(r"flows/(\w+)(?: (\w+(?:, \w+)*))?", part)
    if flows:
        check_source(where, "tests/flows", "flows", flows[1], flows[2].split(", ") if flows[2] else [])
    elif re.fullmatch(r"unit-[\w-]+(, unit-[\w-]+)*", part):
        for name in part.split(", "):
            need(name in meson, where, f"meson has no test {name}")
    else:
        sip = re.fullmatch(r"(\w+)(?: \((\w+(?:, \w+)*)\))?", part)
        need(sip, where, f"not to be understood: {part}")
        if sip:
            check_source(where, "tests/unit/sip", "unit-sip", sip[1], sip[2].split(", ") if sip[2] else [])


def check_torture(cells):
    messages = set(re.findall(r'"rfc4475/([\w.-]+)\.dat"', (root / "tests/unit/sip/test_torture.c").read_text()))
    told = {name for cell in cells for name in cell.split(", ")} - {"all other of RFC 5118", "ipv6-bad"}
    need(messages, "torture", "no message in test_torture.c")
    need(messages == told, "torture", f"in one of document and test only: {sorted(messages ^ told)}")


def check_tables(text):
    header = []
    torture = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            header = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split(" |")]
        if not header:
            header = cells
        elif not set(line) <= set("|- "):
            if header[-1] == "test":
                need(cells[-1], f"line {number}", "no test")
                for part in cells[-1].split("; "):
                    check_part(f"line {number}", part)
            torture += [cell for head, cell in zip(header, cells) if head == "message"]
    check_torture(torture)


def check_links():
    for document in [root / "README.md", *(root / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            need((document.parent / target).exists(), document.name, f"no {target}")


check_tables((root / "docs/conformance.md").read_text())
check_links()
print("\n".join(wrong) or f"{named} names, all there")
sys.exit(bool(wrong) or named < 100)
