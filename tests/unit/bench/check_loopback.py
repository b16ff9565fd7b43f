#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The generator against itself, in virtual time: every call is accounted for, whatever the rings do to its messages.

check_loopback.py BYEPASS_BENCH
"""
import json
import os
import subprocess
import sys
import tempfile

CALLS = 2000
SCENARIOS = ["bye", "cancel", "cancel-early", "race", "options", "register", "mixed"]


def run(bench, *arguments, status=0):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        done = subprocess.run([bench, "loopback", "--calls", str(CALLS), "--json", path, *arguments],
                              capture_output=True, text=True, timeout=120)
        if done.returncode != status:
            sys.exit(f"loopback {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def expect(what, true, report):
    if not true:
        sys.exit(f"{what}: {json.dumps(report, indent=1)}")


def whole(name, report):
    expect(f"{name}: every call ends and is counted once",
           report["calls_begun"] == CALLS and report["calls_open"] == 0 and
           report["calls_ok"] + report["calls_failed"] == CALLS, report)


def main():
    bench = sys.argv[1]
    for scenario in SCENARIOS:
        report = run(bench, "--scenario", scenario)
        whole(scenario, report)
        expect(f"{scenario}: nothing fails, nothing is repeated",
               report["calls_ok"] == CALLS and not report["retransmitted"] and not report["wrong_messages"] and
               report["repeated"] == report["late"] == 0, report)
        expect(f"{scenario}: only the first of a form is parsed", report["parsed_in_full"] <= 16, report)

        report = run(bench, "--scenario", scenario, "--drop", "20", "--seed", "2")
        whole(f"{scenario} with loss", report)
        expect(f"{scenario}: retransmissions repair loss",
               report["calls_ok"] == CALLS and report["retransmitted"], report)

        report = run(bench, "--scenario", scenario, "--repeat", "10")
        whole(f"{scenario} with repetitions", report)
        expect(f"{scenario}: repetitions harm nobody",
               report["calls_ok"] == CALLS and report["repeated"] + report["late"] > 0, report)

        report = run(bench, "--scenario", scenario, "--damage", "50")
        whole(f"{scenario} with damage", report)
        wrong = sum(report["wrong_messages"].values())
        expect(f"{scenario}: damage is seen, and fails calls",
               wrong > report["frames_in"] // 60 and 0 < report["calls_failed"] <= wrong, report)
        expect(f"{scenario}: by the reason",
               set(report["failed"]) == {"a message of the call was wrong"}, report)

    report = run(bench, "--scenario", "mixed", "--sources", "40", "--trunks", "20", "--drop", "20", "--size", "1400",
                    "--checksum", "--ring", "1", "--hold", "3", "--calls-max", "1500")
    expect("many places, large messages, held calls", report["calls_ok"] == CALLS, report)
    expect("held as long as asked for", report["setup_us"]["p50"] >= 1e6, report)

    report = run(bench, "--rate", "1000", "--drop", "2", "--seed", "3")
    whole("every second frame lost", report)
    report = run(bench, "--rate", "100000", "--hold", "5", "--calls-max", "100", status=1)
    expect("calls over the limit fail by that reason",
           report["failed"].get("too many open calls, not begun", 0) == report["calls_failed"] > 0, report)
    print(f"{len(SCENARIOS)} scenarios, whole, with loss, with repetitions and with damage")


main()
