#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The walls between the rooms: a wrong include does not compile, a right one does.

check_walls.py COMPILE_COMMANDS
Each room is tried with the very command that one of its own files is compiled with, out of meson's
compile_commands.json, so that what is tested is what the build does. A file of one #include stands in for the source.
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

# Room: one of its files, what it may include, what it may not.
ENGINE = ["byepass/config.h", "sip/message.h"]
DPDK = ["rte_mbuf.h", "rte_ethdev.h", "rte_lcore.h"]
ROOMS = {
    "sip": ("dataplane/sip/message.c", ENGINE,
            DPDK + ["transaction/record.h", "dialog/dialog.h", "proxy/context.h", "wire/wire.h", "worker/worker.h",
                    "config/file.h", "law.h"]),
    "transaction": ("dataplane/transaction/record.c", ENGINE + ["transaction/record.h"],
                    DPDK + ["dialog/dialog.h", "proxy/context.h", "wire/wire.h", "worker/worker.h", "law.h"]),
    "dialog": ("dataplane/dialog/dialog.c", ENGINE + ["transaction/record.h", "dialog/dialog.h"],
               DPDK + ["proxy/context.h", "wire/wire.h", "worker/worker.h", "law.h"]),
    "proxy": ("dataplane/proxy/engine.c", ENGINE + ["transaction/record.h", "dialog/dialog.h", "proxy/context.h"],
              DPDK + ["wire/wire.h", "worker/worker.h", "law.h"]),
    "wire": ("dataplane/wire/wire.c", DPDK + ["byepass/config.h", "wire/wire.h"],
             ["sip/message.h", "transaction/record.h", "proxy/engine.h", "worker/worker.h", "law.h"]),
    "worker": ("dataplane/worker/loop.c", DPDK + ENGINE + ["proxy/engine.h", "wire/wire.h", "worker/worker.h"],
               ["dialog/dialog.h", "law.h", "config/file.h"]),
    "control": ("control/law.c", ["byepass/dataplane.h", "law.h", "config/file.h"],
                DPDK + ["sip/message.h", "transaction/record.h", "proxy/engine.h", "wire/wire.h", "worker/worker.h",
                        "dataplane/sip/message.h"]),
    "config": ("control/config/load.c", ["byepass/config.h", "config/file.h"],
               DPDK + ["sip/message.h", "worker/capacity.h"]),
}


def command_of(commands, source):
    for entry in commands:
        path = pathlib.PurePath(entry["file"])
        if str(path).endswith("/" + source):
            words = shlex.split(entry["command"])
            for option in ("-o", "-MF", "-MQ"):
                at = words.index(option)
                del words[at:at + 2]
            words = [word for word in words if word not in ("-c", "-MD", "-MMD", entry["file"])]
            return entry["directory"], words
    return None, None


def compiles(directory, words, header, scratch):
    source = scratch / "one_include.c"
    source.write_text(f'#include "{header}"\n')
    run = subprocess.run([*words, "-fsyntax-only", str(source)], cwd=directory, capture_output=True, text=True,
                         timeout=120, env={**os.environ, "LC_ALL": "C"})
    missing = f"{header}: No such file" in run.stderr or f"'{header}' file not found" in run.stderr
    return run.returncode == 0, missing, run.stderr


def main():
    commands = json.loads(pathlib.Path(sys.argv[1]).read_text())
    wrong = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        for room, (source, open_doors, closed_doors) in ROOMS.items():
            directory, words = command_of(commands, source)
            if words is None:
                if room in ("wire", "worker"):  # a build without DPDK has none
                    continue
                sys.exit(f"{source} is not compiled in this build")
            for header in open_doors + closed_doors:
                good, missing, said = compiles(directory, words, header, scratch)
                tried += 1
                if header in open_doors and not good:
                    print(f"{room} should see {header}: {said}")
                    wrong += 1
                if header in closed_doors and not missing:
                    print(f"{room} must not find {header}, and does")
                    wrong += 1
    print(f"{tried} includes, {wrong} wrong")
    sys.exit(wrong > 0 or tried < 50)


main()
