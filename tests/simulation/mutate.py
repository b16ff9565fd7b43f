#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds and runs the simulation against deliberately broken variants of the engine (mutants.py).

Only the one changed source is compiled, as the build directory compiles it, and linked in front of the others.
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

from mutants import MUTANTS

SIMULATION = "tests/simulation/simulation"
LIBRARY = "byepass-simulated-engine"


class Broken(Exception):
    """The list of mutants, or the build, is not what it should be."""


class Builder:
    def __init__(self, source, build, work):
        self.source, self.build, self.work = map(os.path.realpath, (source, build, work))
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            self.compiles = {
                os.path.realpath(os.path.join(entry["directory"], entry["file"])): entry["command"]
                for entry in json.load(file)
                if LIBRARY in entry["output"]
            }
        told = subprocess.run(
            ["ninja", "-C", build, "-t", "commands", SIMULATION], check=True, capture_output=True, text=True
        ).stdout
        self.link = shlex.split(told.strip().splitlines()[-1])

    def mutated(self, mutant):
        """The path of the source that it changes, and the changed text."""
        path = os.path.join(self.source, "dataplane", mutant.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        found = text.count(mutant.old)
        if found != 1:
            raise Broken(f"its old text stands {found} times in dataplane/{mutant.file}, not once")
        return path, text.replace(mutant.old, mutant.new)

    def run(self, command):
        done = subprocess.run(command, cwd=self.build, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"{shlex.join(command)}\n{done.stderr}")

    def make(self, mutant):
        """Returns the path of its simulation."""
        path, text = self.mutated(mutant)
        base = os.path.join(self.work, mutant.name)
        with open(base + ".c", "w", encoding="utf-8") as file:
            file.write(text)
        command = shlex.split(self.compiles[path])
        for flag in ("-MQ", "-MF", "-o", "-c"):
            del command[command.index(flag) : command.index(flag) + 2]
        # What it makes superfluous is no matter.
        self.run(command + ["-w", "-o", base + ".o", "-c", base + ".c"])
        link = list(self.link)
        link[link.index("-o") + 1] = base
        self.run(link[: link.index(base) + 1] + [base + ".o"] + link[link.index(base) + 1 :])
        return base


def find(name):
    for mutant in MUTANTS:
        if mutant.name == name:
            return mutant
    sys.exit(f"no mutant {name!r}: --list-mutants")


def reason(said):
    """The broken rule and the seed, of what the simulation said."""
    lines = said.strip().splitlines()
    rules = [line.removeprefix("broken rule: ") for line in lines if line.startswith("broken rule: ")]
    return f"seed {lines[-1]}: {rules[0]}" if rules else f"seed {lines[-1]}"


def check(builder, mutant):
    """Returns (caught, what to say of it)."""
    begin = time.monotonic()
    try:
        command = [builder.make(mutant), "--first", str(mutant.first), "--seeds", str(mutant.seeds)]
    except Broken as error:
        return False, str(error)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode not in (0, 1):
        return False, f"the simulation ended with {done.returncode}\n{done.stderr}"
    said = reason(done.stdout) if done.returncode == 1 else f"NOT CAUGHT in {mutant.seeds} seeds: {mutant.breaks}"
    return done.returncode == 1, f"{said}  ({time.monotonic() - begin:.1f} s)"


def check_all(builder, jobs, mutants):
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for mutant, (caught, said) in zip(mutants, pool.map(lambda mutant: check(builder, mutant), mutants)):
            print(f"{mutant.name:28} {said}", flush=True)
            if not caught:
                survivors.append(mutant.name)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants caught")
    if survivors:
        print(f"not caught: {' '.join(survivors)}")
    return 1 if survivors else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", help="top of the sources")
    parser.add_argument("--build", help="build directory, in which the simulation is up to date")
    parser.add_argument("--jobs", type=int, default=1)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true")
    what.add_argument("--check", action="store_true", help="whether every one is caught")
    what.add_argument("--run", metavar="NAME")
    parser.add_argument("--only", metavar="NAME", action="append", help="with --check: not all of them")
    parser.add_argument("arguments", nargs="*", help="with --run: of the simulation")
    arguments = parser.parse_args()
    if arguments.list:
        for mutant in MUTANTS:
            print(f"{mutant.name:28} {mutant.breaks}")
        return 0
    if arguments.run:
        find(arguments.run)
    with tempfile.TemporaryDirectory(prefix="byepass-mutants.") as work:
        builder = Builder(arguments.source, arguments.build, work)
        if arguments.check:
            return check_all(builder, arguments.jobs, [find(name) for name in arguments.only] if arguments.only else MUTANTS)
        return subprocess.run([builder.make(find(arguments.run))] + arguments.arguments, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as error:
        sys.exit(str(error))
