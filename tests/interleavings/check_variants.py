#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds and runs the interleavings against the broken variants of variants.py. Each must end with an error.

They are made as those of the simulation are (../simulation/mutate.py). slab.c and table.c are no part of the engine's
library here: other sources include them, and are compiled anew with the broken one in front of the true one.
"""

import argparse
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time

from variants import MUTANTS

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "simulation"))
import mutate  # noqa: E402

FOLDER = "tests/interleavings"
TIMEOUT = 300  # seconds; what runs for ever is caught, too


def includer(program, file):
    """The source of the program that includes this one; None: it is in the library."""
    name = os.path.basename(file)
    if name not in ("slab.c", "table.c"):
        return None
    return "test_table.c" if program == "interleavings-table" else name.replace(".c", "_inside.c")


class Builder(mutate.Builder):
    def __init__(self, source, build, work, program):
        mutate.LIBRARY, mutate.SIMULATION = "byepass-explored-engine", f"{FOLDER}/{program}"
        super().__init__(source, build, work)
        self.program = program
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            self.commands = {entry["output"]: entry["command"] for entry in json.load(file)}

    def make(self, mutant):
        source = includer(self.program, mutant.file)
        if source is None:
            return super().make(mutant)
        base = os.path.join(self.work, mutant.name)
        path = os.path.join(base + ".sources", mutant.file)
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.mutated(mutant)[1])
        output = f"{FOLDER}/{self.program}.p/{source}.o"
        command = shlex.split(self.commands[output])
        for flag in ("-MQ", "-MF", "-o"):
            del command[command.index(flag) : command.index(flag) + 2]
        compiler = 2 if os.path.basename(command[0]) == "ccache" else 1
        self.run(command[:compiler] + ["-I", base + ".sources", "-w", "-o", base + ".o"] + command[compiler:])
        link = [base + ".o" if word == output else word for word in self.link]
        link[link.index("-o") + 1] = base
        self.run(link)
        return base


def reason(said):
    """What did not hold, of what the program said."""
    lines = [line for line in said.splitlines() if line and not line.startswith("[") and " schedules of up" not in line]
    return lines[0] if lines else "it broke down"


def check(builders, mutant):
    """Returns (caught, what to say of it)."""
    begin = time.monotonic()
    program, *arguments = mutant.run.split()
    try:
        path = builders[program].make(mutant)
        done = subprocess.run(
            [path] + arguments, capture_output=True, text=True, errors="replace", timeout=TIMEOUT, check=False
        )
    except mutate.Broken as error:
        return False, str(error)
    except subprocess.TimeoutExpired:
        return True, f"{mutant.run}: it never comes to an end"
    caught = done.returncode == 1 or done.returncode < 0
    said = reason(done.stdout) if caught else f"NOT CAUGHT: {mutant.breaks}"
    return caught, f"{mutant.run}: {said}  ({time.monotonic() - begin:.1f} s)"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", help="top of the sources")
    parser.add_argument("--build", help="build directory, in which the interleavings are up to date")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*", help="not all of them")
    arguments = parser.parse_args()
    if arguments.list:
        for mutant in MUTANTS:
            print(f"{mutant.name:34} {mutant.breaks}")
        return 0
    mutants = [mutant for mutant in MUTANTS if not arguments.names or mutant.name in arguments.names]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="byepass-variants.") as work:
        programs = {mutant.run.split()[0] for mutant in mutants}
        builders = {program: Builder(arguments.source, arguments.build, work, program) for program in programs}
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for mutant, (caught, said) in zip(mutants, pool.map(lambda one: check(builders, one), mutants)):
                print(f"{mutant.name:34} {said}", flush=True)
                missed += not caught
    print(f"{len(mutants) - missed} of {len(mutants)} broken variants caught")
    return 1 if missed or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
