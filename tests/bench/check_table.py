#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""byepass-bench table at a tiny size: its JSON has what docs/benchmarks.md and scripts rely on.

check_table.py BYEPASS-BENCH TABLE...
"""
import json
import pathlib
import subprocess
import sys
import tempfile

NUMBERS = ("lookup_ns", "insert_ns", "miss_ns", "remove_ns", "replace_ns", "bytes_per_entry")


def run(bench, *arguments):
    return subprocess.run([bench, "table", *arguments], capture_output=True, text=True, check=False)


def check_results(document, tables):
    assert {"cpu", "cpus", "memory", "kernel"} <= document["machine"].keys(), document["machine"]
    assert document["load_before"] >= 0 and document["load_after"] >= 0
    found = set()
    for result in document["results"]:
        found.add((result["table"], result["entries"], result["threads"]))
        for key in NUMBERS:
            assert isinstance(result[key], (int, float)) and result[key] > 0, (key, result)
        assert 0 <= result["huge_page_share"] <= 1, result
    wanted = {(table, entries, threads) for table in tables for entries in (40000,) for threads in (1, 2)}
    assert found == wanted, found ^ wanted


def main():
    bench, tables = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "table.json"
        done = run(bench, "--tables", ",".join(tables), "--entries", "40k", "--threads", "1,2", "--rounds", "1",
                   "--pages", "small", "--json", str(path))
        assert done.returncode == 0, done.stdout + done.stderr
        check_results(json.loads(path.read_text()), tables)
        for table in tables:
            assert done.stdout.count("\n" + table) == 2, done.stdout
    for wrong in ("0", "1,", "x", "5k", "2000", "1m"):
        done = run(bench, "--entries", wrong)
        assert done.returncode == 2 and done.stderr, (wrong, done)


main()
