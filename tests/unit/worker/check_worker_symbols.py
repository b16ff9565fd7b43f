#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Never a system call, printf, log, lock or malloc on a worker.

Reads the relocations of the libraries that run in the loop and walks from the loop's functions to everything
that they refer to by name, calls and function pointers alike. What is reached and is defined in none of the
libraries must be in the list below. An indirect call needs no name here: whoever took the function's address
was reached too, or is one of the roots.

usage: check_worker_symbols.py OBJDUMP LIBRARY...
"""
import collections
import re
import subprocess
import sys

# What a turn begins with, and what the wire and the engine call back through pointers that were given to them
# at creation. Idle sleep (bp_idle_sleep) is not among them: it is the one system call that a worker may make.
ROOTS = {
    "bp_worker_turn", "bp_worker_next_us", "bp_idle_decide",
    "bp_worker_datagrams", "bp_worker_unreachable", "bp_worker_reserve", "bp_worker_send", "bp_reclaim_defer",
    "bp_worker_resolve", "bp_worker_resolved",
}

# If one of these is not reached, the walk is broken and its silence means nothing.
MUST_REACH = {
    "bp_engine_receive", "bp_engine_receive_burst", "bp_engine_expire",
    "bp_wire_input", "bp_wire_flush", "bp_sip_parse", "bp_slot_take",
    "bp_batch_release", "bp_table_add", "rte_eth_fp_ops",
}

ALLOWED = {
    # libc that only computes
    "memcpy", "memmove", "memset", "memcmp", "bcmp", "memchr", "memmem", "strlen", "strchr",
    # what the compiler and the linker put in
    "_GLOBAL_OFFSET_TABLE_", "__tls_get_addr", "__stack_chk_fail", "__popcountdi2", "__cpu_model",
    "__cpu_indicator_init",
    # the end of the process: a broken assertion
    "__assert_fail", "abort", "__rte_panic",
    # RCU: a store; a futex wake when a grace period waits for this very worker, some hundred times a second
    "urcu_qsbr_quiescent_state", "urcu_qsbr_call_rcu", "urcu_qsbr_flavor", "rcu_dereference_sym",
    # DPDK: bursts (whatever the driver does in them is the device's business), mbufs out of pools
    "rte_eth_fp_ops", "rte_eth_call_rx_callbacks", "rte_eth_call_tx_callbacks", "rte_mempool_ops_table",
    "rte_pktmbuf_free_bulk", "__rte_pktmbuf_read", "per_lcore__lcore_id", "per_lcore__rte_errno",
}
ALLOWED_PREFIXES = ("__asan_", "__ubsan_", "__tsan_", "__sanitizer_", "__gcov_", "__llvm_")

HEADER = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
SECTION = re.compile(r"^(?:Disassembly of section|RELOCATION RECORDS FOR \[?)\s*(?P<name>[^\]:]+)\]?:?$")
OBJECT = re.compile(r"^(?P<name>\S+):\s+file format ")
RELOCATION = re.compile(r"\sR_\w+\s+(?P<target>\S+)")
OFFSET = re.compile(r"[-+]0x[0-9a-f]+$")
INSIDE = re.compile(r"<(?P<target>[^>+]+)(?:\+0x[0-9a-f]+)?>$")
VARIANT = re.compile(r"\.(cold|part|isra|constprop|lto_priv|llvm)(\.\d+)*")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


class Program:
    """Who refers to whom. A node is an (object, name) pair, name being a function, data or a section; what is
    defined elsewhere is its bare name."""

    def __init__(self):
        self.edges = collections.defaultdict(set)
        self.globals = {}  # name -> node
        self.locals = collections.defaultdict(dict)  # object -> name -> node

    def define(self, objdump, library):
        where = None
        for line in run(objdump, "-t", library):
            match = OBJECT.match(line)
            if match:
                where = (library, match["name"])
                continue
            fields = line.split()
            if where is None or len(fields) < 4 or "*UND*" in fields:
                continue
            # "value flags section size [visibility] name": the flags are a column of seven characters
            flags, rest = line[17:24], line[24:].split()
            section, name = rest[0], rest[-1]
            if section == "*ABS*":
                continue
            node = (where, name)
            if "g" in flags or "w" in flags or "u" in flags:
                self.globals[name] = node
            else:
                self.locals[where][name] = node
            if "F" not in flags and section != name:
                self.edges[node].add((where, section))  # data: whatever its section points to

    def resolve(self, where, target):
        target = OFFSET.sub("", target)
        if target in self.locals[where]:
            return self.locals[where][target]
        if target in self.globals:
            return self.globals[target]
        if target.startswith("."):
            return (where, target)
        return target  # defined elsewhere

    def code(self, objdump, library):
        where = function = section = near = None
        for line in run(objdump, "-dr", "--no-show-raw-insn", library) + [""]:
            match = RELOCATION.search(line)
            if match and function:
                self.edges[function].add(self.resolve(where, match["target"]))
                near = None  # the instruction's own operand is filled in by this
                continue
            if near:  # within one section the assembler has done the linker's work
                self.edges[function].add(self.resolve(where, near))
                near = None
            match = OBJECT.match(line)
            if match:
                where, function = (library, match["name"]), None
                continue
            match = SECTION.match(line)
            if match:
                section = match["name"]
                continue
            match = HEADER.match(line)
            if match:
                name = match["name"]
                function = self.resolve(where, name)
                if not isinstance(function, tuple):
                    function = (where, name)
                # a function split by the compiler is one; a nameless reference into a section means all of it
                self.edges[self.resolve(where, VARIANT.sub("", name))].add(function)
                self.edges[(where, section)].add(function)
                continue
            match = INSIDE.search(line)
            if match and function:
                near = match["target"]

    def data(self, objdump, library):
        where = section = None
        for line in run(objdump, "-r", library):
            match = OBJECT.match(line)
            if match:
                where, section = (library, match["name"]), None
                continue
            match = SECTION.match(line)
            if match:
                section = match["name"]
                continue
            fields = line.split()
            if section is None or len(fields) != 3 or not fields[1].startswith("R_"):
                continue
            if section.startswith((".data", ".rodata", ".init_array", ".tdata")):
                self.edges[(where, section)].add(self.resolve(where, fields[2]))

    def walk(self, roots):
        """Everything reached, each with who referred to it first."""
        came_from = {root: None for root in roots}
        queue = collections.deque(roots)
        while queue:
            node = queue.popleft()
            for target in sorted(self.edges.get(node, ()), key=str):
                if target not in came_from:
                    came_from[target] = node
                    queue.append(target)
        return came_from


def name_of(node):
    return node[1] if isinstance(node, tuple) else node


def chain(came_from, node):
    names = []
    while node is not None:
        names.append(name_of(node))
        node = came_from[node]
    return " <- ".join(names)


def main():
    objdump, libraries = sys.argv[1], sys.argv[2:]
    program = Program()
    for library in libraries:
        program.define(objdump, library)
    for library in libraries:
        program.code(objdump, library)
        program.data(objdump, library)
    missing = ROOTS - set(program.globals)
    if missing:
        sys.exit(f"not in these libraries: {', '.join(sorted(missing))}")
    came_from = program.walk([program.globals[root] for root in sorted(ROOTS)])
    reached = {name_of(node) for node in came_from}
    if not MUST_REACH <= reached:
        sys.exit(f"the walk is broken, it does not come to: {', '.join(sorted(MUST_REACH - reached))}")
    bad = [node for node in came_from
           if not isinstance(node, tuple) and node not in ALLOWED and not node.startswith(ALLOWED_PREFIXES)]
    for node in sorted(bad):
        print(f"reached from the loop: {chain(came_from, node)}")
    if bad:
        print("A worker makes no system call, takes no lock, prints nothing, allocates from its pools only.")
        sys.exit(1)
    print(f"{len(came_from)} functions and data sections reached, nothing else")


if __name__ == "__main__":
    main()
