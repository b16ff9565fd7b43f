#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet
#
# The two textbook calls over IPv6.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

# IPv4 on the caller's side, IPv6 on the callee's.
across() {
	callee uas 20 2001:db8:2::2
	caller uac 20 192.0.2.2 192.0.2.1 bob6
	callee_done
	edge_at_rest
}

edge_start "$pmd" "$work"
check "50 calls over IPv6, ended by BYE" calls uac uas 50 bob6
check "50 calls over IPv6, cancelled after 180" calls uac_cancel uas_cancel 50 bob6
check "20 calls from IPv4 to IPv6" across
check "the edge stops at SIGTERM with status 0" edge_stop
finish
