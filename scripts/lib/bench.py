#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What scripts/bench does with numbers: puts the parts' JSON together, compares, draws.

usage: bench.py merge OUT NAME=FILE...      one document out of the parts'
       bench.py compare DIRECTORY OUT       of scripts/lib/compare.sh
       bench.py plot FILE DIRECTORY         SVG drawings of a merged document, by gnuplot
"""
import json
import os
import subprocess
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, document):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def merge(out, parts):
    write(out, {name: read(path) for name, path in (part.split("=", 1) for part in parts)})


def of_target(directory, name):
    search = read(os.path.join(directory, f"{name}-search.json"))
    at_rate = read(os.path.join(directory, f"{name}-rate.json"))
    with open(os.path.join(directory, f"{name}-ticks"), encoding="utf-8") as file:
        seconds = int(file.read()) / os.sysconf("SC_CLK_TCK")
    # the settling time before the measurement costs CPU, too
    calls = at_rate["offered_per_second"] * (at_rate["seconds"] + 2)
    return {
        "calls_per_second": search["highest_rate"],
        "cpu_us_per_call": seconds * 1e6 / calls,
        "p99_us": at_rate["transit_us"]["p99"],
        "p999_us": at_rate["transit_us"]["p999"],
        "at_calls_per_second": at_rate["offered_per_second"],
    }


def compare(directory, out):
    result = {name: of_target(directory, name) for name in ("kamailio", "byepass")}
    result["ratio"] = result["byepass"]["calls_per_second"] / result["kamailio"]["calls_per_second"]
    write(out, result)
    print(f"\n  {'':10} {'calls/s':>10} {'CPU us/call':>12} {'p99 us':>10} {'p99.9 us':>10}   (the last three at the same rate)")
    for name in ("kamailio", "byepass"):
        row = result[name]
        print(f"  {name:10} {row['calls_per_second']:10.0f} {row['cpu_us_per_call']:12.1f} {row['p99_us']:10.1f}"
              f" {row['p999_us']:10.1f}")
    print(f"  {'ratio':10} {result['ratio']:10.2f}")


BARS = """set terminal svg size 720,360 font "sans,12" background "white"
set output "{out}"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set boxwidth 0.9
set ylabel "{label}"
set yrange [0:*]
set grid y
set key top left
{more}
plot for [i=2:{columns}] "{data}" using i:xtic(1) title columnhead(i)
"""


def bars(directory, name, label, rows, more=""):
    """rows: the first is the heads, the others a name and numbers."""
    data = os.path.join(directory, f"{name}.dat")
    with open(data, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(" ".join(f'"{cell}"' if isinstance(cell, str) else f"{cell:g}" for cell in row) + "\n")
    script = BARS.format(out=os.path.join(directory, f"{name}.svg"), label=label, data=data, columns=len(rows[0]), more=more)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    os.remove(data)


def plot(path, directory):
    document = read(path)
    os.makedirs(directory, exist_ok=True)
    if "parse" in document:
        names = ("byepass", "sofia", "osip", "scan", "memcpy")
        messages = document["parse"]["messages"]
        bars(directory, "parse", "nanoseconds a message", [("message",) + names] + [
            (message["name"],) + tuple(float(message[name]["ns"]) if name in message else 0.0 for name in names)
            for message in messages], "set logscale y\nset yrange [1:*]")
    if "table" in document:
        results = document["table"]["results"]
        tables = sorted({result["table"] for result in results})
        sizes = sorted({(result["entries"], result["threads"]) for result in results})
        found = {(r["table"], r["entries"], r["threads"]): float(r["lookup_ns"]) for r in results}
        bars(directory, "table", "nanoseconds a lookup", [("entries",) + tuple(tables)] + [
            (f"{entries // 1000000} M, {threads}",) + tuple(found.get((table, entries, threads), 0.0) for table in tables)
            for entries, threads in sizes])
    if "call" in document:
        stages = document["call"]["stages"]
        bars(directory, "call", "cycles a call", [("stage", "cycles")] + [
            (name, float(cycles)) for name, cycles in stages.items()], "unset key")
    if "compare" in document:
        bars(directory, "compare", "calls a second", [("target", "calls/s")] + [
            (name, float(document["compare"][name]["calls_per_second"])) for name in ("kamailio", "byepass")], "unset key")


def main(arguments):
    if len(arguments) >= 3 and arguments[0] == "merge":
        merge(arguments[1], arguments[2:])
    elif len(arguments) == 3 and arguments[0] == "compare":
        compare(*arguments[1:])
    elif len(arguments) == 3 and arguments[0] == "plot":
        plot(*arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
