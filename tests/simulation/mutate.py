#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds and runs the simulation against deliberately broken variants of the engine (mutants.py).

The sources are copied below the build directory and only the copy is changed; only what a replacement touches is
built again.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import time

from mutants import MUTANTS

COPIED = ["control", "dataplane", "docs", "include", "scripts", "tests", "meson.build", "meson_options.txt"]
SIMULATION = "tests/simulation/simulation"


def copy_file(source, target):
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)


def copy_tree(source, target):
    """Makes the copy like the source; what is the same already keeps its time, so that it is not built again."""
    for name in COPIED:
        path = os.path.join(source, name)
        if os.path.isfile(path):
            copy_file(path, os.path.join(target, name))
        for folder, _, files in os.walk(path):
            for file in files:
                full = os.path.join(folder, file)
                copy_file(full, os.path.join(target, os.path.relpath(full, source)))


def build(directory, quiet=True):
    done = subprocess.run(["ninja", "-C", directory, SIMULATION], capture_output=quiet, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nthe build failed")


def prepare(source, work):
    """Returns the copy and its build directory, both up to date and not broken yet."""
    copy, directory = os.path.join(work, "source"), os.path.join(work, "build")
    copy_tree(source, copy)
    if not os.path.exists(os.path.join(directory, "build.ninja")):
        setup = ["meson", "setup", directory, copy, "-Ddpdk=disabled"]
        done = subprocess.run(setup, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\nmeson setup failed")
    build(directory)
    return copy, directory


def replace(copy, mutant):
    """Breaks the copy; returns what to write back."""
    path = os.path.join(copy, "dataplane", mutant.file)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = text.count(mutant.old)
    if found != 1:
        sys.exit(f"{mutant.name}: its old text stands {found} times in dataplane/{mutant.file}, not once")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(mutant.old, mutant.new))
    return path, text


def run(copy, directory, mutant, seeds, first):
    """Runs one mutant. Returns (caught, what the simulation said)."""
    path, text = replace(copy, mutant)
    try:
        build(directory)
        done = subprocess.run(
            [os.path.join(directory, SIMULATION), "--seeds", str(seeds), "--first", str(first)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=600,
            check=False,
        )
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    if done.returncode < 0:
        return True, f"ended by signal {-done.returncode}\n"
    return done.returncode == 1, done.stdout


def reason(said):
    """The broken rule and the seed, of what the simulation said."""
    lines = said.strip().splitlines()
    rules = [line.removeprefix("broken rule: ") for line in lines if line.startswith("broken rule: ")]
    return f"seed {lines[-1]}: {rules[0]}" if rules else said.strip()


def check_all(copy, directory, seeds):
    missed = []
    for mutant in MUTANTS:
        begin = time.monotonic()
        caught, said = run(copy, directory, mutant, seeds, 1)
        if not caught:
            missed.append(mutant.name)
        verdict = reason(said) if caught else f"NOT CAUGHT in {seeds} seeds: {mutant.breaks}"
        print(f"{mutant.name:28} {verdict}  ({time.monotonic() - begin:.0f} s)", flush=True)
    print(f"{len(MUTANTS) - len(missed)} of {len(MUTANTS)} mutants caught")
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--first", type=int, default=1)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true")
    what.add_argument("--check", action="store_true")
    what.add_argument("--run", metavar="NAME")
    arguments = parser.parse_args()
    if arguments.list:
        for mutant in MUTANTS:
            print(f"{mutant.name:28} {mutant.breaks}")
        return 0
    chosen = [mutant for mutant in MUTANTS if mutant.name == arguments.run]
    if arguments.run and not chosen:
        sys.exit(f"no mutant {arguments.run!r} (--list)")
    copy, directory = prepare(arguments.source, arguments.work)
    if arguments.check:
        return check_all(copy, directory, arguments.seeds)
    caught, said = run(copy, directory, chosen[0], arguments.seeds, arguments.first)
    print(said, end="")
    return 1 if caught else 0


if __name__ == "__main__":
    sys.exit(main())
