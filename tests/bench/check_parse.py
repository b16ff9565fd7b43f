# SPDX-License-Identifier: BSD-3-Clause
"""The JSON of `byepass-bench parse` has the keys that scripts rely on, and numbers that can be true.

check_parse.py BYEPASS_BENCH [PEER...]: PEER is osip or sofia, when it was built in. Nothing is said about speed.
"""
import json
import subprocess
import sys
import tempfile

NAMES = ["INVITE", "180", "200", "BYE", "CANCEL"]
FLOORS = ["scan", "memcpy"]


def check_set(entry, parsers):
    assert entry["size"] > 0, entry
    for parser in parsers:
        numbers = entry[parser]
        assert numbers["ns"] > 0 and numbers["cycles_per_byte"] >= 0, (entry["name"], parser, numbers)
        assert 0 < numbers["best_ns"] <= numbers["ns"] + 0.01, (entry["name"], parser, numbers)
        rate = numbers["messages_per_second"] * numbers["ns"] / 1e9
        assert 0.98 < rate < 1.02, (entry["name"], parser, numbers)
        assert numbers["instructions"] is None, "asked not to count"
    extra = set(entry) - {"name", "size"} - set(parsers)
    assert not extra, f"{entry['name']}: {extra}"


def main():
    bench, peers = sys.argv[1], sys.argv[2:]
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([bench, "parse", "--rounds", "1", "--no-count", "--json", file.name],
                       check=True, stdout=subprocess.DEVNULL)
        result = json.load(open(file.name))
    assert result["bench"] == "parse" and result["rounds"] == 1, result
    assert [entry["name"] for entry in result["messages"]] == NAMES, result["messages"]
    parsers = ["byepass", *peers, *FLOORS]
    for entry in [*result["messages"], result["mix"], result["varied"]]:
        check_set(entry, parsers)
    for key in ["ratio_to_fastest_peer", "ratio_to_fastest_peer_varied"]:
        assert result[key] > 0 if peers else result[key] is None, key


main()
