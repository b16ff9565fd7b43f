#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What scripts/bench does with numbers: puts the parts' JSON together, compares, draws.

usage: bench.py merge OUT NAME=FILE...      the parts' documents into OUT, beside what it has of other parts
       bench.py rate FILE SHARE             so much of the highest rate of a search, in whole calls a second
       bench.py compare DIRECTORY OUT       of scripts/lib/compare.sh
       bench.py plot FILE DIRECTORY         SVG drawings of a merged document, by gnuplot, and measured.md with its tables
       bench.py check FILE PART...          the keys that other programs rely on are there, and make sense
"""
import json
import os
import subprocess
import sys

from bench_tables import markdown

TARGETS = ("wire", "kamailio", "byepass")
AIM = 1000000  # calls a second on one worker core


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, document):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)


def merge(out, parts):
    document = read(out) if os.path.exists(out) and os.path.getsize(out) > 0 else {}
    document.update({name: read(path) for name, path in (part.split("=", 1) for part in parts)})
    write(out, document)


def highest(search):
    """Of a run with --search; one without says what it carried."""
    return search.get("highest_rate", search["calls_per_second"])


def at_rate(directory, name):
    run = read(os.path.join(directory, f"{name}.json"))
    with open(os.path.join(directory, f"{name}.cpu"), encoding="utf-8") as file:
        us = int(file.read()) / 1e3
    return {
        # the settling costs CPU, too
        "cpu_us_per_call": us / (run["offered_per_second"] * (run["seconds"] + run["settle_seconds"])),
        "p50_us": run["transit_us"]["p50"],
        "p99_us": run["transit_us"]["p99"],
        "p999_us": run["transit_us"]["p999"],
        "at_calls_per_second": run["offered_per_second"],
        "calls_failed": run["calls_failed"],
    }


def of_target(directory, name):
    search = read(os.path.join(directory, f"{name}-search.json"))
    result = {"calls_per_second": highest(search), **at_rate(directory, f"{name}-rate")}
    if os.path.exists(os.path.join(directory, f"{name}-own.json")):
        result["at_80_percent"] = at_rate(directory, f"{name}-own")
    if name == "wire":
        result["packets_per_second"] = 6 * result["calls_per_second"]  # it forwards each message once
    return result


def ratio(one, other):
    return one / other if other else 0.0


def compare(directory, out):
    result = {name: of_target(directory, name) for name in TARGETS
              if os.path.exists(os.path.join(directory, f"{name}-rate.json"))}
    kamailio, byepass = result["kamailio"], result["byepass"]
    result["machine"] = read(os.path.join(directory, "byepass-rate.json"))["machine"]
    result["ratio"] = ratio(byepass["calls_per_second"], kamailio["calls_per_second"])
    result["cpu_ratio"] = ratio(kamailio["cpu_us_per_call"], byepass["cpu_us_per_call"])
    result["p99_ratio"] = ratio(byepass["p99_us"], kamailio["p99_us"])
    if "wire" in result:
        result["ratio_to_wire"] = ratio(byepass["calls_per_second"], result["wire"]["calls_per_second"])
    write(out, result)
    head = f"\n  {'':10} {'calls/s':>10} {'CPU us/call':>12} {'p50 us':>10} {'p99 us':>10} {'p99.9 us':>10} {'at calls/s':>12}"
    print(head)
    for name in TARGETS:
        if name not in result:
            continue
        runs = [(name, result[name])] + ([(" at 80 %", result[name]["at_80_percent"])] if "at_80_percent" in result[name] else [])
        for title, run in runs:
            rate = f"{run['calls_per_second']:10.0f}" if "calls_per_second" in run else " " * 10
            print(f"  {title:10} {rate} {run['cpu_us_per_call']:12.1f} {run['p50_us']:10.1f} {run['p99_us']:10.1f}"
                  f" {run['p999_us']:10.1f} {run['at_calls_per_second']:12.0f}")

    def line(what, value, aim, good):
        print(f"  {what:44} {value:8.3f}   aimed at: {aim}   {'reached' if good else 'NOT reached'}")

    print()
    line("byepass/Kamailio, calls a second", result["ratio"], "at least 20", result["ratio"] >= 20)
    line("byepass/Kamailio, p99 at the same rate", result["p99_ratio"], "at most 0.05", result["p99_ratio"] <= 0.05)
    if "wire" in result:
        line("byepass/the bare wire, calls a second", result["ratio_to_wire"], "at least 0.8", result["ratio_to_wire"] >= 0.8)


HEAD = """set terminal svg size 720,400 font "sans,12" background "white"
set output "{out}"
set grid y
"""

BARS = """set style data histogram
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set boxwidth 0.9
set ylabel "{label}"
set yrange [0:*]
set key top left
{more}
plot for [i=2:{columns}] "{data}" using i:xtic(1) title columnhead(i)
"""


def gnuplot(directory, name, script, data):
    """@data: texts by name; {name} in the script becomes the file. {out} is the drawing."""
    files = {key: os.path.join(directory, f"{name}-{key}.dat") for key in data}
    try:
        for key, text in data.items():
            with open(files[key], "w", encoding="utf-8") as file:
                file.write(text)
        script = (HEAD + script).replace("{out}", os.path.join(directory, f"{name}.svg"))
        for key, path in files.items():
            script = script.replace("{" + key + "}", path)
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
    finally:
        for path in files.values():
            if os.path.exists(path):
                os.remove(path)


def lines(rows):
    return "".join(" ".join(f'"{cell}"' if isinstance(cell, str) else f"{cell:.10g}" for cell in row) + "\n" for row in rows)


def bars(directory, name, label, rows, more=""):
    """rows: the first is the heads, the others a name and numbers."""
    script = BARS.replace("{label}", label).replace("{columns}", str(len(rows[0]))).replace("{more}", more)
    gnuplot(directory, name, script, {"data": lines(rows)})


def plot_parse(document, directory):
    names = ("byepass", "sofia", "osip", "scan", "memcpy")
    result = document["parse"]
    messages = result["messages"] + [result[name] for name in ("mix", "varied") if name in result]
    bars(directory, "parse", "nanoseconds a message", [("message",) + names] + [
        (message["name"],) + tuple(float(message[name]["ns"]) if name in message else 0.0 for name in names)
        for message in messages], "set logscale y\nset yrange [1:*]\nset key outside right")


def plot_table(document, directory):
    results = document["table"]["results"]
    tables = sorted({result["table"] for result in results})
    sizes = sorted({(result["entries"], result["threads"]) for result in results})
    found = {(r["table"], r["entries"], r["threads"]): float(r["lookup_ns"]) for r in results}
    bars(directory, "table", "nanoseconds a lookup", [("entries",) + tuple(tables)] + [
        (f"{entries / 1e6:g} M, {threads} thread{'s' if threads > 1 else ''}",) +
        tuple(found.get((table, entries, threads), 0.0) for table in tables) for entries, threads in sizes],
        "set xtics rotate by -20")


def plot_stages(document, directory):
    runs = [(title, document[key]["stages"]) for key, title in (("call", "one worker"), ("call_two", "two workers, inline"),
            ("call_hot", "two workers, one flow")) if key in document]
    rows = [("stage",) + tuple(title for title, _ in runs)]
    rows += [(stage,) + tuple(float(stages.get(stage, 0)) for _, stages in runs) for stage in runs[0][1]]
    bars(directory, "stages", "cycles a call", rows)


def plot_cycles(document, directory):
    """Calls a second of one core, by cycles a call: what was measured, and what is aimed at."""
    hz = float(document["call"]["tsc_hz"])
    points = [("whole edge, timers full", document["call"]["cycles_per_call"], document["call"]["calls_per_second"])]
    if "engine" in document:
        cycles = document["engine"]["cycles_per_call"]
        points.append(("engine alone (no packets)", cycles, hz / cycles))
    if "loopback" in document and "generator_cycles_per_call" in document["loopback"]:
        loopback = document["loopback"]
        points.append(("the generator itself", loopback["generator_cycles_per_call"], loopback["calls_per_second"]))
    points.append(("aimed at", hz / AIM, AIM))
    script = """set logscale xy
set xrange [500:100000]
set xlabel "cycles a call"
set ylabel "calls a second, one core"
set grid x
set key top right
%s
plot %g/x title "%.2f GHz / cycles" with lines lc rgb "#888888", "{data}" using 2:3 with points pt 7 notitle
""" % ("\n".join(f'set label "{name}" at {x:g},{y:g} ' + ("left offset 1,0.7" if name.startswith(("the gen", "engine"))
                                                           else "right offset -1,-0.7") for name, x, y in points), hz, hz / 1e9)
    gnuplot(directory, "cycles", script, {"data": lines(points)})


def plot_latency(document, directory):
    run = document.get("call_latency", document["call"])
    curves = run.get("curves", {})
    titles = (("transit_us", "INVITE"), ("onward_us", "other requests"), ("back_us", "responses"))
    data, plots = {}, []
    for key, title in titles:
        if curves.get(key):
            data[key] = lines((1 / (1 - point["percentile"] / 100), point["us"]) for point in curves[key] if point["percentile"] < 100)
            plots.append(f'"{{{key}}}" using 1:2 with lines lw 2 title "{title}"')
    script = """set logscale xy
set title "through the edge, at %.0f calls a second"
set xlabel "percentile"
set ylabel "microseconds"
set xtics ("0" 1, "50" 2, "90" 10, "99" 100, "99.9" 1000, "99.99" 10000, "99.999" 100000)
set grid x
set key outside right
plot %s
""" % (run["calls_per_second"], ", ".join(plots))
    if plots:
        gnuplot(directory, "latency", script, data)


def plot_compare(document, directory):
    result = document["compare"]
    names = [name for name in TARGETS if name in result]
    title = {"wire": "the wire alone", "kamailio": "Kamailio", "byepass": "byepass"}
    bars(directory, "compare", "calls a second, log scale", [("target", "calls/s")] + [
        (title[name], float(result[name]["calls_per_second"])) for name in names],
        "unset key\nset logscale y\nset yrange [100:*]")
    bars(directory, "compare-latency", f"microseconds at {result['kamailio']['at_calls_per_second']:.0f} calls a second, log scale",
         [("target", "p50", "p99", "p99.9")] + [
             (title[name],) + tuple(float(result[name][key]) for key in ("p50_us", "p99_us", "p999_us")) for name in names],
         "set logscale y\nset yrange [1:*]\nset key outside right")


def plot(path, directory):
    document = read(path)
    os.makedirs(directory, exist_ok=True)
    for key, draw in (("parse", plot_parse), ("table", plot_table), ("call", plot_stages), ("call", plot_cycles),
                      ("call", plot_latency), ("compare", plot_compare)):
        if key in document:
            draw(document, directory)
    with open(os.path.join(directory, "measured.md"), "w", encoding="utf-8") as file:
        file.write(markdown(document, directory))


CALL = ("scenario", "seconds", "calls_ok", "calls_failed", "calls_per_second", "offered_per_second", "goodput", "transit_us.p50",
        "transit_us.p99", "transit_us.p999", "transit_us.max")
KEYS = {
    "parse": ("messages.0.name", "messages.0.size", "messages.0.byepass.ns", "messages.0.byepass.cycles_per_byte",
              "messages.0.byepass.instructions", "messages.0.scan.ns", "messages.0.memcpy.ns"),
    "table": tuple(f"results.0.{key}" for key in ("table", "entries", "threads", "lookup_ns", "insert_ns", "bytes_per_entry")),
    "engine": ("cycles_per_call", "stages", "counting_law"),
    "loopback": CALL,
    "call": CALL + ("workers", "cycles_per_call", "cycles_per_message", "stages", "bytes_per_call", "peak_memory_bytes",
                    "bytes_per_finished_transaction", "counting_law"),
    "compare": tuple(f"{target}.{key}" for target in ("kamailio", "byepass")
                     for key in ("calls_per_second", "cpu_us_per_call", "p99_us")) + ("ratio",),
}


def check(path, parts):
    document = read(path)
    wrong = []
    for part in parts:
        for key in KEYS[part]:
            value = document.get(part)
            for step in key.split("."):
                value = value[int(step)] if isinstance(value, list) else (value or {}).get(step, "missing")
            if value == "missing":
                wrong.append(f"{part}: no {key}")
        law = document.get(part, {}).get("counting_law", "holds")
        if law != "holds":
            wrong.append(f"{part}: the counting law: {law}")
        if document.get(part, {}).get("calls_failed", 0) != 0:
            wrong.append(f"{part}: {document[part]['calls_failed']} calls failed")
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


def main(arguments):
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "merge" and len(rest) >= 1:
        merge(rest[0], rest[1:])
    elif command == "rate" and len(rest) == 2:
        print(max(1, int(highest(read(rest[0])) * float(rest[1]))))
    elif command == "compare" and len(rest) == 2:
        compare(*rest)
    elif command == "plot" and len(rest) == 2:
        plot(*rest)
    elif command == "check" and len(rest) >= 2:
        check(rest[0], rest[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
