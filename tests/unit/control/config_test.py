#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs `byepass --check` on the files of tests/config.

Each file in bad/ begins with what must be said of it, one "# expect: LINE:COLUMN: PATH: TEXT" for each error, in
order: all of it and nothing else. Each file in good/ must pass.

config_test.py BYEPASS TESTS_CONFIG
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

MARK = "# expect: "


# What --check says of the capacity, by file: 128*t1 of records for each call.
COMES_TO = {"full.yaml": "about 2560 calls/s sustained (25600ms of records a call)\n",
            None: " calls/s sustained (64s of records a call)\n"}


def check(byepass, path):
    return subprocess.run([byepass, "--check", "--config", str(path)], capture_output=True, text=True, timeout=60)


def expected(path):
    lines = path.read_bytes().decode(errors="replace").splitlines()
    return [line[len(MARK):] for line in lines if line.startswith(MARK)]


def test_bad(byepass, path):
    wanted = expected(path)
    run = check(byepass, path)
    said = run.stderr.splitlines()
    found = [line.removeprefix(f"{path}:").lstrip() for line in said]
    faults = []
    if not wanted:
        faults.append("the file does not say what is expected")
    if any(not line.startswith(f"{path}:") for line in said):
        faults.append("a line does not begin with the name of the file")
    if run.returncode != 1:
        faults.append(f"exit code {run.returncode}, expected 1")
    if run.stdout:
        faults.append(f"it says on stdout: {run.stdout}")
    if found != wanted:
        faults += [f"missing: {line}" for line in wanted if line not in found]
        faults += [f"too much: {line}" for line in found if line not in wanted]
        faults += ["in another order"] if sorted(found) == sorted(wanted) else []
    return faults


def test_good(byepass, path):
    run = check(byepass, path)
    faults = [] if run.returncode == 0 else [f"exit code {run.returncode}, expected 0"]
    if f"{path}: good\n" not in run.stdout or COMES_TO.get(path.name, COMES_TO[None]) not in run.stdout:
        faults.append(f"it says on stdout: {run.stdout}")
    faults += [f"it says: {line}" for line in run.stderr.splitlines() if ": notice: " not in line]
    return faults


def test_cannot_be_read(byepass, folder):
    faults = []
    for path, text in ((folder / "absent.yaml", "No such file"), (folder, "not a file")):
        run = check(byepass, path)
        if run.returncode != 1 or text not in run.stderr:
            faults.append(f"{path}: exit code {run.returncode}, {run.stderr}")
    return faults


def main():
    byepass, source = sys.argv[1], pathlib.Path(sys.argv[2])
    counts, failed = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        shutil.copytree(source, folder / "config")
        (folder / "config/good/secrets").chmod(0o600)  # a checkout knows no modes
        (folder / "config/bad/readable-by-everybody").chmod(0o644)
        results = [("unreadable", "unreadable", test_cannot_be_read(byepass, folder))]
        for kind, test in (("bad", test_bad), ("good", test_good)):
            for path in sorted((folder / "config" / kind).glob("*.yaml")):
                results.append((kind, f"{kind}/{path.name}", test(byepass, path)))
    for kind, name, faults in results:
        counts[kind] = counts.get(kind, 0) + 1
        failed += bool(faults)
        for fault in faults:
            print(f"{name}: {fault}")
    print(f"{counts} files, {failed} failed")
    sys.exit(failed > 0 or counts.get("bad", 0) < 30 or counts.get("good", 0) < 3)


main()
