#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet
#
# SIGTERM with calls up: they go on to their BYE, new ones get 503, then the edge ends with status 0.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

live_dialogs() { [[ $(edge_metric dialogs) -eq $1 ]]; }
draining() { ! edge_http /readyz; }

# One call is up, and what the others needed is home: an established call keeps its slot and a few blocks.
all_but_one_home() {
	edge_http /metrics >"$work/one"
	awk '$1 == "byepass_dialogs" { dialogs = $NF }
		$1 == "byepass_calls_reserved" { slots = $NF }
		$1 == "byepass_kept_messages" { kept = $NF; seen++ }
		$1 ~ /^byepass_transactions[{]/ { away += $NF; seen++ }
		END { exit dialogs != 1 || slots > 1 || kept > 3 || seen < 3 || away != 0 }' "$work/one"
}

# Keeps the latest metrics until the edge is gone.
watch_metrics() {
	while edge_http /metrics >"$work/latest"; do
		mv "$work/latest" "$work/last"
		sleep 0.05
	done
}

drain() {
	local longest
	callee uas 11 10.0.0.2
	sipp_spawn longest "$net-access" uac -i 192.0.2.4 -p 5060 -m 1 -d 10000 -s bob 192.0.2.1:5060
	longest=$spawned
	sipp_spawn caller "$net-access" uac -i 192.0.2.2 -p 5060 -m 10 -d 3000 -r 50 -s bob 192.0.2.1:5060
	wait_until 3 live_dialogs 11
	kill -TERM "$edge_pid"
	wait_until 2 draining
	watch_metrics &
	caller_refused
	sipp_result caller "$spawned" 15
	wait_until 6 all_but_one_home || {
		grep -E '^byepass_(transactions[{]|dialogs |calls_reserved|kept_messages)' "$work/one"
		return 1
	}
	sipp_result longest "$longest" 15
	callee_done
}

caller_refused() {
	local spawned
	sipp_spawn refused "$net-access" uac_refused -i 192.0.2.3 -p 5060 -m 5 -r 50 -s bob 192.0.2.1:5060
	sipp_result refused "$spawned" 10
}

last_counters() {
	counting_law <"$work/last"
	[[ $(metric dialogs <"$work/last") -eq 0 ]]
	grep -E 'event="?drain' "$edge_dir/edge.log"
	grep -qE 'event="?drained' "$edge_dir/edge.log"
}

BYP_DRAIN=20s
edge_start "$pmd" "$work"
check "SIGTERM with 11 calls up: they end by BYE, new ones get 503" drain
check "the edge then ends with status 0" edge_wait 10
check "no call, no transaction was left, every message is accounted for" last_counters
finish
