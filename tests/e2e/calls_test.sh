#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet af_xdp
#
# The two textbook calls and their races, SIPp on both sides.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

answered() {
	calls uac uas 200
	counted 200 dialogs_created_total
	counted 200 dialogs_ended_total 'reason="bye"'
}

cancelled() {
	calls uac_cancel uas_cancel 200
	counted 200 cancel_outcomes_total 'outcome="matched"'
	counted 0 dialogs_created_total
}

cancelled_early() {
	calls uac_cancel_early uas_slow 50
	counted 50 cancel_outcomes_total 'outcome="before_1xx"'
	counted 0 dialogs_created_total
}

# How many calls the caller gave up: a CANCEL that is sent again is no other.
calls_cancelled() {
	tr -d '\r' <"$work/caller.messages" |
		awk '/^CANCEL / { cancel = 1 } cancel && /^Call-ID:/ { cancel = 0; calls[$2] } END { print length(calls) }'
}

# Whatever wins, each call is either cancelled or answered and ended by the caller.
crossed() {
	local dialogs cancels
	calls uac_cross uas_cross 50
	dialogs=$(($(edge_metric dialogs_created_total) - $(metric dialogs_created_total <"$work/before")))
	cancels=$(calls_cancelled)
	echo "$dialogs calls were answered, $cancels given up"
	[[ $cancels -gt 0 ]]
	counted "$dialogs" dialogs_ended_total 'reason="bye"'
	counted "$cancels" cancel_outcomes_total
}

# The programs that come with SIPp keep no route set: the BYE names the edge and nothing else.
no_route_set() {
	calls builtin-uac builtin-uas 100 service
	counted 100 dialogs_ended_total 'reason="bye"'
}

edge_start "$pmd" "$work"
check "200 calls answered, ended by BYE" answered
check "200 calls cancelled after 180" cancelled
check "50 calls cancelled before the callee's first response" cancelled_early
check "50 calls whose CANCEL crosses the 200" crossed
check "100 calls of sipp -sn uac and uas, BYE without a route set" no_route_set
check "the edge stops at SIGTERM with status 0" edge_stop
finish
