#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: af_packet af_xdp
#
# byepass-bench load as caller and callee, on two ports of the same kind as the edge's: every message is checked, every call
# ends well, and the edge is left with nothing.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

bench=${BYP_BUILD:-$BYP_TOP/build}/tests/bench/byepass-bench

# The core's interface goes to the callers' namespace: one process has both.
ends_together() {
	ip -n "$net-core" link set eth0 down name eth1
	ip -n "$net-core" link set eth1 netns "$net-access"
	ip -n "$net-access" link set eth1 up
}

# generate OPTION...: what the generator says is in $work/load.json.
generate() {
	access sh -c 'mount -t bpf bpf /sys/fs/bpf 2>/dev/null; exec "$@"' sh timeout -k 5 90 "$bench" load \
		--eal "--no-huge --no-shconf -m 256 --no-pci --vdev=net_${pmd}0,iface=eth0 --vdev=net_${pmd}1,iface=eth1" \
		--caller 0,192.0.2.50 --callee 1,10.0.0.2 --target 192.0.2.1 --target-callee-side 10.0.0.1 \
		--seconds 1 --settle 0.3 --drain 40 --json "$work/load.json" "$@"
}

all_well() {
	generate "$@"
	"$e2e/tools/calls_well.py" "$work/load.json"
	edge_at_rest 30
}

# Whatever it is on this machine.
finds_a_rate() {
	generate --search 0.5 --from 200 --precision 0.5 --seconds 0.3 --settle 0 --drain 1 | tee "$work/search"
	grep -q '^highest rate with a loss of at most 0.5: [1-9]' "$work/search"
}

edge_start "$pmd" "$work"
ends_together
check "byepass-bench load: 300 calls/s" all_well --rate 300
check "byepass-bench load: all kinds of calls, from many addresses" all_well --rate 200 --sources 20 \
	--scenario bye=40,cancel=20,cancel-early=20,race=20
[[ $pmd != af_packet ]] || check "byepass-bench load: the search for a rate ends, and finds one" finds_a_rate
check "the edge stops at SIGTERM with status 0" edge_stop
finish
