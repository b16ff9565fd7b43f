#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet
#
# SIGTERM with calls up: they go on to their BYE, new ones get 503, then the edge ends with status 0.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

live_dialogs() { [[ $(edge_metric dialogs) -eq $1 ]]; }
draining() { ! edge_http /readyz; }

# Keeps the latest metrics until the edge is gone.
watch_metrics() {
	while edge_http /metrics >"$work/latest"; do
		mv "$work/latest" "$work/last"
		sleep 0.05
	done
}

drain() {
	local long_calls
	callee uas 10 10.0.0.2
	caller uac 10 192.0.2.2 192.0.2.1 bob -d 4000 -r 50 &
	long_calls=$!
	wait_until 3 live_dialogs 10
	kill -TERM "$edge_pid"
	wait_until 2 draining
	watch_metrics &
	caller_refused
	wait "$long_calls"
	callee_done
}

caller_refused() {
	sipp_spawn refused "$net-access" uac_refused -i 192.0.2.3 -p 5060 -m 5 -r 50 -s bob 192.0.2.1:5060
	sipp_result refused "$spawned" 10
}

last_counters() {
	counting_law <"$work/last"
	[[ $(metric dialogs <"$work/last") -eq 0 ]]
}

BYP_DRAIN=20s
edge_start "$pmd" "$work"
check "SIGTERM with 10 calls up: they end by BYE, new ones get 503" drain
check "the edge then ends with status 0" edge_wait 10
check "no call was left, every message is accounted for" last_counters
finish
