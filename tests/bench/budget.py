#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds the engine to a budget of instructions, which the load of a machine cannot change.

Runs `byepass-bench engine` under callgrind, with fixed calls, seeds and the AVX2 parser, and compares the instructions of
each message, and those of a choice among a million routes, with what budget.txt has for this compiler and optimization. Exit status: 0 within the budget, 1 not,
77 nothing to compare.

  budget.py BENCH BUDGET KEY [--update]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOLERANCE = 0.03
SCENARIOS = {"bye": ["INVITE", "180", "200", "ACK", "BYE", "200-BYE"],
             "cancel": ["INVITE", "180", "CANCEL", "200-CANCEL", "487", "ACK"]}
# Few calls and a short T1: every timer runs, everything is used again. A call is over before T1, as it nearly always is.
OPTIONS = ["--calls", "1000", "--linger", "32", "--rate", "100000", "--spread", "8", "--group", "8",
           "--variant", "avx2", "--plain-pages"]


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def read_callgrind(path):
    """Inclusive instructions and calls of each function that is called."""
    names, cost, calls = {}, {}, {}
    callee = count = None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name = re.match(r"(c?)fn=\((\d+)\)(?: (.*))?$", line)
            if name:
                if name[3]:
                    names[name[2]] = re.split(r"[.']", name[3].strip())[0]
                if name[1]:
                    callee = names[name[2]]
            elif line.startswith("calls="):
                count = int(line[6:].split()[0])
            elif count is not None:  # the line behind calls=: position, inclusive cost
                cost[callee] = cost.get(callee, 0) + int(line.split()[1])
                calls[callee] = calls.get(callee, 0) + count
                count = None
    return cost, calls


def measure(bench, scenario, kinds):
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "callgrind.out")
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, bench, "engine",
             "--scenario", scenario] + OPTIONS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode == 77:
            skip("this CPU does not have AVX2")
        if run.returncode != 0:
            print(run.stdout)
            sys.exit(f"{scenario}: byepass-bench ended with {run.returncode}")
        cost, calls = read_callgrind(out)
    try:
        began = calls["receive_0"]
        figures = {kind: cost[f"receive_{i}"] // calls[f"receive_{i}"] for i, kind in enumerate(kinds)}
        figures["timers"] = (cost["run_timers"] + cost["run_flush"]) // began  # a call
    except KeyError as missing:
        sys.exit(f"{scenario}: callgrind did not see {missing}")
    figures["call"] = sum(figures.values())
    return figures


def measure_route(bench):
    """Of a match among a million prefixes; byepass-bench counts them itself, by single steps."""
    figures = {}
    for kind, options in (("found", []), ("missed", ["--misses"])):
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run([bench, "route", "--matches", "10000", "--json", out.name] + options, check=True,
                           stdout=subprocess.DEVNULL)
            figures[kind] = round(json.load(out)["match_instructions"])
    if 0 in figures.values():
        skip("instructions cannot be counted here")
    return figures


def read_budget(path):
    budget = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                key, scenario, kind, figure = line.split()
                budget[key, scenario, kind] = int(figure)
    return budget


def write_budget(path, budget):
    with open(path, encoding="utf-8") as lines:
        head = [line for line in lines if line.startswith("#")]
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(head)
        for (key, scenario, kind), figure in sorted(budget.items(), key=lambda row: row[0][:2]):
            out.write(f"{key} {scenario} {kind} {figure}\n")


def compare(budget, key, scenario, figures):
    good = True
    for kind, figure in figures.items():
        wanted = budget[key, scenario, kind]
        off = figure / wanted - 1
        verdict = "" if abs(off) <= TOLERANCE else "  OVER" if off > 0 else "  under: --update"
        good = good and not verdict
        print(f"{scenario:8}{kind:12}{figure:8} of {wanted:8}  {100 * off:+6.1f}%{verdict}")
    return good


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--update"]
    update = len(arguments) < len(sys.argv) - 1
    if len(arguments) != 3:
        sys.exit(__doc__)
    bench, path, key = arguments
    if shutil.which("valgrind") is None:
        skip("valgrind is not installed")
    budget = read_budget(path)
    if not update and not any(row[0] == key for row in budget):
        skip(f"no budget for {key}: scripts and numbers in {os.path.basename(path)}")
    good = True
    for scenario in list(SCENARIOS) + ["route"]:
        figures = measure_route(bench) if scenario == "route" else measure(bench, scenario, SCENARIOS[scenario])
        if update:
            budget.update({(key, scenario, kind): figure for kind, figure in figures.items()})
        good = compare(budget, key, scenario, figures) and good
    if update:
        write_budget(path, budget)
    if not good:
        print("a cheaper or dearer engine that is meant is recorded by: tests/bench/budget.py", *arguments, "--update")
    sys.exit(0 if good else 1)


main()
