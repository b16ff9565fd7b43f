#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet
#
# The edge dies by SIGKILL with calls up and is started again: their re-INVITEs and BYEs reach the other side by the
# signed route token alone, also when the first key of the secrets file is a new one.

BYP_HUGEPAGES=off # what was asked of the kernel is not given back by who is killed

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

new_key() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# A check runs in a subshell: who starts the edge again there is not known here.
same_edge() { edge_pid=$(<"$edge_dir/pid"); }

all_up() { [[ $(edge_metric dialogs) -eq $1 ]]; }

# survive CALLS SECONDS: CALLS are up, the edge is killed and started again, all go on to their end. SECONDS is how long
# they talk: long enough for all that.
survive() {
	local caller
	callee uas_long "$1" 10.0.0.2
	sipp_spawn caller "$net-access" uac_long -i 192.0.2.2 -p 5060 -m "$1" -s bob -l "$1" -d "$2"000 -r 200 192.0.2.1:5060
	caller=$spawned
	wait_until 15 all_up "$1"
	edge_crash
	! alive "$edge_pid"
	"${@:3}"
	edge_begin "$pmd"
	all_up 0
	remember
	sipp_result caller "$caller" "$(($2 + 20))" || {
		callee_done 1 || true # what it saw
		return 1
	}
	callee_done
	edge_at_rest
	counted "$1" sip_requests_total 'direction="out",method="BYE"'
	counted 0 dialogs_created_total
	counted 0 sip_responses_total 'direction="out",code="481"'
}

# A new key comes first; the old one still checks.
rotate() {
	local old
	old=$(<"$BYP_SECRETS")
	{ new_key && echo && echo "$old"; } >"$BYP_SECRETS"
}

BYP_SECRETS=$work/secrets
(umask 077 && new_key >"$BYP_SECRETS" && echo >>"$BYP_SECRETS")
edge_start "$pmd" "$work"
check "1,000 calls up, kill -9, start: each re-INVITE and BYE arrives" survive 1000 20 true
same_edge
check "the same with a new key in the secrets file" survive 200 12 rotate
same_edge
check "the edge stops at SIGTERM with status 0" edge_stop
finish
