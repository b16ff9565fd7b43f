#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A seed is the whole of its world: run again it does the same, message by message, also when others run beside it."""

import re
import subprocess
import sys


def simulate(*arguments):
    command = [sys.argv[1], *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def trace_of(said):
    return re.search(r"trace ([0-9a-f]{16})$", said.strip()).group(1)


def main():
    seeds = (3, 7, 11)
    told = [simulate("--first", seed, "--trace", 5) for seed in seeds]
    again = [simulate("--first", seed, "--trace", 5) for seed in seeds]
    assert told == again, "the same seed tells two stories"
    assert all(" INVITE 1 " in said for said in told), "there is no ladder"
    assert len(set(map(trace_of, told))) == len(seeds), "seeds do not differ"
    assert simulate("--seeds", 12, "--jobs", 1) == simulate("--seeds", 12, "--jobs", 3), "jobs change what happens"
    print("%d ladders and 12 seeds replayed" % len(seeds))


if __name__ == "__main__":
    main()
