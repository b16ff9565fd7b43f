#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: af_packet
#
# Kamailio as the next hop: calls through two proxies that both record-route.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

kamailio_start() {
	mkdir "$work/kamailio"
	spawn "$work/kamailio/log" ip netns exec "$net-core" kamailio -DD -E -f "$e2e/kamailio.cfg" \
		-Y "$work/kamailio" -P "$work/kamailio/pid" -m 64 -M 8
	kamailio_pid=$spawned
	at_exit end_child "$kamailio_pid"
	wait_until 10 listening 10.0.0.3 || {
		cat "$work/kamailio/log"
		die "Kamailio did not start"
	}
}

edge_start "$pmd" "$work"
kamailio_start
check "20 calls through Kamailio, ended by BYE" calls uac uas 20 kamailio
check "20 calls through Kamailio, cancelled after 180" calls uac_cancel uas_cancel 20 kamailio
check "20 calls through Kamailio, CANCEL crosses the 200" calls uac_cross uas_cross 20 kamailio
check "the edge stops at SIGTERM with status 0" edge_stop
finish
