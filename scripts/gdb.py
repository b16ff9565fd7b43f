# SPDX-License-Identifier: BSD-3-Clause
"""Shows records, dialogs and flows in gdb with their state words in words: source scripts/gdb.py

The words are decoded by what scripts/decode-state runs, out of build/ or BYP_BUILD (`ninja -C build
tests/states/decode-state`); without it they are shown as numbers. `print/r` shows a struct without any of this.
"""
import ipaddress
import os
import subprocess

import gdb
import gdb.printing

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DECODER = os.path.join(os.environ.get("BYP_BUILD") or os.path.join(TOP, "build"), "tests/states/decode-state")


def decoded(word, *options):
    """The word's value, and what decode-state says of it."""
    number = f"{int(word):#018x}"
    try:
        done = subprocess.run([DECODER, *options, number], check=True, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return number
    return done.stdout.strip().replace("  ", " ", 1)


def shown(text):
    return gdb.Value(text)


def fields(value):
    for field in value.type.fields():
        if not field.name.startswith("reserved"):
            yield field.name, value[field.name]


class Struct:
    """A struct field by field; words() says which of them are words, and how to decode them."""

    def __init__(self, value):
        self.value = value

    def children(self):
        words = self.words()
        for name, value in fields(self.value):
            yield name, shown(decoded(value, *words[name])) if name in words else value


def is_invite(record):
    return int(record["method"]) == int(gdb.parse_and_eval("(int)BP_METHOD_INVITE"))


class Record(Struct):
    def to_string(self):
        method = gdb.Value(int(self.value["method"])).cast(gdb.lookup_type("enum bp_method"))
        return f"record of {str(method).replace('BP_METHOD_', '')}"

    def words(self):
        method = "--invite" if is_invite(self.value) else "--other"
        return {"server": ("--server", method), "branch": ("--branch", method)}


class Branch(Struct):
    """Of a record whose method is not known here."""

    def to_string(self):
        return "branch"

    def words(self):
        return {"word": ("--branch",)}


class Dialog(Struct):
    def to_string(self):
        return "dialog"

    def words(self):
        return {"word": ("--dialog",)}


class Flow:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        octets = self.value["ip"]["bytes"]
        ip = ipaddress.IPv6Address(bytes(int(octets[i]) for i in range(16)))
        far = f"{ip.ipv4_mapped}" if ip.ipv4_mapped else f"[{ip}]"
        return f"{far}:{int(self.value['port'])} by listener {int(self.value['listener'])}"


printers = gdb.printing.RegexpCollectionPrettyPrinter("byepass")
printers.add_printer("record", "^bp_record$", Record)
printers.add_printer("branch", "^bp_branch$", Branch)
printers.add_printer("dialog", "^bp_dialog$", Dialog)
printers.add_printer("flow", "^bp_flow$", Flow)
gdb.printing.register_pretty_printer(gdb.current_objfile(), printers, replace=True)
