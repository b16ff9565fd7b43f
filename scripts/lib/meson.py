#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What meson knows about the tests of a build directory.

  meson.py suites BUILD            names of all suites, in the order in which they are run
  meson.py targets BUILD SUITE     what ninja must make for the tests of a suite
  meson.py results TESTLOG.json SUITE    "PASSED FAILED SKIPPED SECONDS", then a line for each test that skipped something
  meson.py failures TESTLOG.json SUITE   what its failed tests said
"""
import json
import os
import re
import subprocess
import sys

FIRST = ("unit", "golden", "config", "flows")  # those that are quick and say most


def tests(build):
    told = subprocess.run(["meson", "introspect", "--tests", build], check=True, capture_output=True, text=True).stdout
    return json.loads(told)


def suites_of(test):
    return {suite.rpartition(":")[2] for suite in test["suite"]}


def suites(build):
    found = set().union(*map(suites_of, tests(build)))
    for name in [name for name in FIRST if name in found] + sorted(found.difference(FIRST)):
        print(name)


def targets(build, suite):
    build = os.path.abspath(build)
    found = set()
    for test in tests(build):
        if suite in suites_of(test):
            found.update(word for word in test["cmd"] if word.startswith(build + "/"))
    print("\n".join(sorted(os.path.relpath(path, build) for path in found)))


def parts_skipped(output):
    """Names that cmocka reports as skipped, and whether others went well."""
    names = re.findall(r"^\[  SKIPPED \] (?!\d+ test\(s\))(.+?)\s*$", output, re.MULTILINE)
    return list(dict.fromkeys(names)), "[       OK ]" in output


def brief(names):
    return ", ".join(names[:3]) + (" and %d more" % (len(names) - 3) if len(names) > 3 else "")


def of_suite(log, suite):
    with open(log, encoding="utf-8") as file:
        for test in map(json.loads, file):
            if suite in test["name"].partition(" / ")[0].partition(":")[2].split("+"):
                yield test


def outcome_of(test):
    return {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")


def results(log, suite):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    notes = []
    seconds = 0
    for test in of_suite(log, suite):
        names, others = parts_skipped(test.get("stdout") or "")
        outcome = outcome_of(test)
        if outcome == "passed" and names and not others:
            outcome = "skipped"
        count[outcome] += 1
        seconds += test.get("duration") or 0
        name = test["name"].rpartition(" / ")[2]
        if names:
            notes.append("%s: %s" % (name, brief(names)))
        elif outcome == "skipped":
            notes.append(name)
    print(*count.values(), "%.1f" % seconds)
    print("\n".join(notes))


def failures(log, suite):
    for test in of_suite(log, suite):
        if outcome_of(test) == "failed":
            print("---- %s: %s" % (test["name"], test["result"]))
            print(test.get("stdout") or "", test.get("stderr") or "", sep="")


if __name__ == "__main__":
    {"suites": suites, "targets": targets, "results": results, "failures": failures}[sys.argv[1]](*sys.argv[2:])
