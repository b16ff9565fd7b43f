#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet
#
# A network that loses the first copy of every message, on both legs: only retransmissions get through, the
# edge's own ones (timers A, E, G) among them.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

deaf() {
	local mode=$1 calls=$2
	spawn "$work/callee.log" ip netns exec "$net-core" python3 -B "$e2e/tools/deaf.py" callee 10.0.0.2 "$calls" "$mode"
	callee_pid=$spawned
	at_exit end_child "$callee_pid"
	wait_until 5 grep -q ready "$work/callee.log"
	access python3 -B "$e2e/tools/deaf.py" caller 192.0.2.2 192.0.2.1 "$calls" "$mode"
	wait_until 20 gone "$callee_pid" || true
	cat "$work/callee.log"
	wait "$callee_pid"
	edge_at_rest
}

answered() {
	remember
	deaf answer 50
	counted 50 dialogs_ended_total 'reason="bye"'
}

edge_start "$pmd" "$work"
check "50 calls, the first copy of everything lost, ended by BYE" answered
check "50 calls, the first copy of everything lost, cancelled" deaf cancel 50
check "the edge stops at SIGTERM with status 0" edge_stop
finish
