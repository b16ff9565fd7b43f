# SPDX-License-Identifier: BSD-3-Clause
"""A merged document of scripts/bench as Markdown: tables, and the drawings that stand beside them. See bench.py."""
import os

STAGES = ("receive", "input", "engine", "timers", "rest", "transmit")


def count(value):
    return f"{value:,.0f}"


def table(heads, rows):
    text = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return "\n".join(text + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def machine(document):
    for part in ("call", "compare", "engine", "loopback", "table"):
        found = document.get(part, {}).get("machine")
        if found and "cpu" in found:
            loads = [f"{name} {document[name]['machine']['load_average']:.2f}" for name in document
                     if "load_average" in document[name].get("machine", {})]
            return (f"{found['cpu']}, {found['cpus']} CPUs, {found['memory']} of memory, Linux {found['kernel']}."
                    + (f" Load average when a part began: {', '.join(loads)}." if loads else "") + "\n")
    return ""


def parse(document):
    result = document["parse"]
    names = [name for name in ("byepass", "osip", "sofia", "scan", "memcpy") if name in result["messages"][0]]

    def cell(one):
        instructions = one.get("instructions")
        return f"{one['ns']:.1f} / {count(instructions) if instructions else '-'}"

    rows = []
    for message in result["messages"] + [result[name] for name in ("mix", "varied") if name in result]:
        peers = [message[name]["ns"] for name in ("osip", "sofia") if name in message]
        rows.append([message["name"], count(message["size"])] + [cell(message[name]) if name in message else "" for name in names]
                    + [f"{message['byepass']['cycles_per_byte']:.2f}",
                       f"{min(peers) / message['byepass']['ns']:.1f}x" if peers else ""])
    return (f"Nanoseconds / instructions a message; medians of {result['rounds']} rounds, variant {result['variant']}, "
            f"allocator {result.get('allocator', 'not told')}.\n\n"
            + table(["message", "bytes"] + [{"osip": "libosip2", "sofia": "sofia-sip"}.get(name, name) for name in names] + ["cycles/byte", "to the faster peer"], rows)
            + (f"\nThe median over the rounds of the ratio to the faster peer: {result['ratio_to_fastest_peer']:.1f}x for the mix,"
               f" {result['ratio_to_fastest_peer_varied']:.1f}x for the varied messages.\n" if result.get("ratio_to_fastest_peer") else ""))


def tables(document):
    rows = [[count(r["entries"]), f"{r['threads']:g}", f"`{r['table']}`"] + [f"{r[key]:.0f}" if key in r else "" for key in
            ("lookup_ns", "miss_ns", "insert_ns", "remove_ns", "replace_ns")] + [f"{r['bytes_per_entry']:.1f}"]
            for r in document["table"]["results"]]
    return "Nanoseconds of CPU for one operation of one thread.\n\n" + table(
        ["entries", "threads", "table", "lookup", "miss", "insert", "remove", "replace", "bytes/entry"], rows)


def engine(document):
    result = document["engine"]
    rows = [[name, count(cycles)] for name, cycles in result["stages"].items()]
    return (table(["message in", "cycles"], rows + [["**a call**", f"**{count(result['cycles_per_call'])}**"]])
            + f"\n{count(result['bytes_per_call'])} bytes an established call, {count(result['bytes_per_finished_call'])} for what an ended"
            " one leaves (two transactions, the dialog).\n")


def loopback(document):
    result = document["loopback"]
    text = f"The generator against itself, one core: {count(result['calls_per_second'])} calls a second"
    if "calls_per_cpu_second" in result:
        text += f", {count(result['calls_per_cpu_second'])} a second of CPU"
    return text + f"; {count(result.get('generator_cycles_per_call', 0))} cycles a call, {count(result['calls_failed'])} failed.\n"


RUNS = (("call", "as many as go, one worker"), ("call_latency", "80 % of what is carried without loss"),
        ("call_two", "two workers, inline"), ("call_hot", "two workers, one flow"))


def call(document):
    runs = [(title, document[key]) for key, title in RUNS if key in document]
    text = table(["run", "seconds", "calls/s, ok", "failed", "cycles a call", "a message", "of which engine", "busy", "counting law"],
                 [[title, f"{run['seconds']:.0f}", count(run["calls_per_second"]), count(run["calls_failed"]),
                   count(run["cycles_per_call"]), count(run["cycles_per_message"]), count(run["stages"]["engine"]),
                   f"{100 * run['busy_ratio']:.0f} %", run["counting_law"]] for title, run in runs])
    text += "\n" + table(["cycles a call"] + list(STAGES),
                         [[title] + [count(run["stages"].get(stage, 0)) for stage in STAGES] for title, run in runs])
    text += "\n" + table(["through the edge, us", "p50", "p99", "p99.9", "max"], [
        [f"{title}: {what}"] + [f"{run[key][which]:,.1f}" for which in ("p50", "p99", "p999", "max")]
        for title, run in runs if run is document.get("call_latency", document["call"])
        for key, what in (("transit_us", "INVITE"), ("onward_us", "other requests"), ("back_us", "responses"),
                          ("late_us", "the generator itself late by")) if key in run])
    if document.get("call_latency", {}).get("highest_rate"):
        text += f"\nThe highest rate found: {count(document['call_latency']['highest_rate'])} calls a second.\n"
    run = document["call"]
    text += "\n" + table(["memory", "bytes"], [
        ["an established call (dialog, both remote targets, timer, in size classes)", count(run["bytes_per_call"])],
        ["a finished transaction, kept for 64*T1 (record, response in its size class, timers, table)",
         count(run["bytes_per_finished_transaction"])],
        ["the process at most", count(run["peak_memory_bytes"])]])
    return text


def compare(document):
    result = document["compare"]
    title = {"wire": "the wire alone (testpmd)", "kamailio": "Kamailio", "byepass": "byepass"}
    rows = []
    for name in ("wire", "kamailio", "byepass"):
        if name not in result:
            continue
        one = result[name]
        rows.append([title[name], count(one["calls_per_second"])] + numbers(one))
        if "at_80_percent" in one:
            rows.append([f"{title[name]}, at 80 % of its own", ""] + numbers(one["at_80_percent"]))
    text = table(["", "calls/s, highest", "at calls/s", "CPU us a call", "p50 us", "p99 us", "p99.9 us"], rows)
    text += "\n" + table(["", "measured", "aimed at"], [
        ["calls a second, byepass to Kamailio", f"{result['ratio']:.2f}", "at least 20"],
        ["p99 at the same rate, byepass to Kamailio", f"{result['p99_ratio']:.3f}", "at most 0.05"]] + (
        [["calls a second, byepass to the bare wire", f"{result['ratio_to_wire']:.2f}", "at least 0.8"]] if "ratio_to_wire" in result else []))
    return text


def numbers(one):
    return [count(one["at_calls_per_second"]), f"{one['cpu_us_per_call']:.1f}", f"{one['p50_us']:,.1f}", f"{one['p99_us']:,.1f}",
            f"{one['p999_us']:,.1f}"]


PARTS = (("parse", "Parsing", parse, ("parse",)), ("table", "Tables", tables, ("table",)), ("engine", "Engine", engine, ()),
         ("loopback", "The generator", loopback, ()), ("call", "Whole calls", call, ("cycles", "stages", "latency")),
         ("compare", "Beside Kamailio", compare, ("compare", "compare-latency")))


def markdown(document, directory):
    text = ["# Measured\n", "Written by `scripts/bench --json FILE --plots DIR`; what the numbers mean stands in"
            " [benchmarks.md](../benchmarks.md).\n", machine(document)]
    for key, title, write, drawings in PARTS:
        if key in document:
            text += [f"## {title}\n", write(document)]
            text += [f"![{title}]({name}.svg)\n" for name in drawings if os.path.exists(os.path.join(directory, f"{name}.svg"))]
    return "\n".join(text)
