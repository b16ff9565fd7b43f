#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet
#
# Noise, bent SIP and torture messages while calls go on: those of tests/golden, and those of RFC 4475 and RFC 5118 where
# $BYEPASS_CORPORA has them.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

corpora=${BYEPASS_CORPORA:-$BYP_TOP/../shared/corpora}
seed=${SEED:-5060}

# Some garbage is good enough to be forwarded, so a callee of its own kind takes it: SIPp in core serves until it is
# ended, and only the callers must be content.
amid_garbage() {
	local from=$1 edge=$2 here=$3 whom=$4 there=$5 garbage
	callee uas 100000 "$there"
	spawn "$work/garbage.log" ip netns exec "$net-access" \
		python3 -B "$e2e/tools/garbage.py" "$from" "$edge" 3 "$seed" "${folders[@]}"
	garbage=$spawned
	at_exit end_child "$garbage"
	caller uac 200 "$here" "$edge_uri" "$whom" -r 80
	wait_until 20 gone "$garbage"
	cat "$work/garbage.log"
	[[ $(sed -n "s/.*[ ,]\([0-9]*\) torture.*/\1/p" "$work/garbage.log") -ge 80 ]]
	wait "$garbage"
	end_child "$callee_pid"
	edge_at_rest 60
}

folders=("$BYP_TOP/tests/golden")
for folder in rfc4475 rfc5118; do
	if [[ -d $corpora/$folder ]]; then
		folders+=("$corpora/$folder")
	else
		skipped "torture messages of $folder: not in $corpora (BYEPASS_CORPORA names another place)"
	fi
done

edge_start "$pmd" "$work"
edge_uri=192.0.2.1
check "200 calls while garbage arrives, IPv4" amid_garbage 192.0.2.3 192.0.2.1 192.0.2.2 bob 10.0.0.2
edge_uri='[2001:db8:1::1]'
check "200 calls while garbage arrives, IPv6" amid_garbage 2001:db8:1::2 2001:db8:1::1 2001:db8:1::2 bob6 2001:db8:2::2
check "the edge stops at SIGTERM with status 0" edge_stop
finish
