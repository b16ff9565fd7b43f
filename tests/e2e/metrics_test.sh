#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: af_packet
#
# What operators see: /metrics as Prometheus wants it, /healthz, /readyz, byepassctl.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

# After calls of both kinds, so that no counter is absent because it is zero.
promtool_likes_it() {
	calls uac uas 10
	calls uac_cancel uas_cancel 10
	edge_http /metrics >"$work/metrics"
	promtool check metrics <"$work/metrics"
	[[ $(metric messages_received_total <"$work/metrics") -ge 120 ]]
}

over_tcp() {
	local path
	for path in /metrics /healthz /readyz; do
		edge_net curl -sf --max-time 3 "http://127.0.0.1:9060$path" >"$work/answer"
	done
}

ladder() {
	calls uac uas 1 bob -cid_str 'ladder-%u@test'
	edge_ctl ladder ladder-1@test | tee "$work/ladder"
	local word
	for word in INVITE 100 180 200 ACK BYE; do
		grep -q "$word" "$work/ladder" || {
			echo "no $word in it"
			return 1
		}
	done
}

edge_start "$pmd" "$work"
check "promtool check metrics is content with a live scrape" promtool_likes_it
check "metrics, healthz and readyz answer on TCP, too" over_tcp
check "byepassctl status" edge_ctl status
check "byepassctl ladder shows every step of a call" ladder
check "the edge stops at SIGTERM with status 0" edge_stop
finish
