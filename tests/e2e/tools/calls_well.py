#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whether all calls of a run of byepass-bench ended well.

usage: calls_well.py FILE      of --json
"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    run = json.load(file)
wrong = []
if run["calls_ok"] < 1:
    wrong.append("no call came through")
if run["calls_failed"] != 0:
    wrong.append(f"{run['calls_failed']:g} calls failed: {run.get('failed', run.get('failures'))}")
if run["calls_open"] != 0:
    wrong.append(f"{run['calls_open']:g} calls did not end")
if run.get("wrong_messages"):
    wrong.append(f"wrong messages: {run['wrong_messages']}")
if run.get("counting_law", "holds") != "holds":
    wrong.append(f"the counting law: {run['counting_law']}")
if run.get("highest_rate", 1) == 0 and "steps" in run:
    wrong.append("the search found nothing")
print("\n".join(wrong) or f"{run['calls_ok']:g} calls, all well")
sys.exit(1 if wrong else 0)
