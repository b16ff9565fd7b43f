#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""scripts/gdb.py shows records and dialogs with their words in words, and with numbers where there is no decoder.

gdb_test.py GDB SOURCE-ROOT BUILD SAMPLE
"""
import os
import subprocess
import sys

GDB, ROOT, BUILD, SAMPLE = sys.argv[1:5]
wrong = 0


def look(build):
    commands = [f"source {ROOT}/scripts/gdb.py", "set print elements 0", "set print pretty on",
                "print sample_record", "print sample_branch", "print sample_dialog"]
    arguments = [argument for command in commands for argument in ("-ex", command)]
    done = subprocess.run([GDB, "-nx", "-batch", *arguments, SAMPLE], capture_output=True, text=True,
                          env=dict(os.environ, BYP_BUILD=build))
    return done.stdout + done.stderr


def expect(text, *wanted):
    global wrong
    missing = [one for one in wanted if one not in text]
    if missing or "Traceback" in text or "Error" in text:
        wrong += 1
        print(f"without {missing}:\n{text}")


expect(look(BUILD), "record of INVITE", "generation 5, pending 1, cancel_asked, state IST_PROCEEDING",
       "generation 5, 1xx_seen, state ICT_PROCEEDING", "branch word: generation 9, abandoned, state ICT_CALLING or",
       "generation 3, held, state DIALOG_ACKED", "branch_count = 1",
       "upstream = 192.0.2.7:5062 by listener 1", "flow = [2001:db8::1]:5060 by listener 0")
expect(look("/nonexistent"), "record of INVITE", "0x0000000500001010", "0x0000000300000014")
print("wrong" if wrong else "shown as they should be")
sys.exit(bool(wrong))
