#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: af_packet
#
# Programs that other people wrote, on both sides: baresip calls baresip, Kamailio is the hop before the edge, sipsak
# asks the edge what it is.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

# baresip_start NAME NAMESPACE ADDRESS: a telephone without a screen, which is told what to do over TCP on 127.0.0.1.
baresip_start() {
	local dir=$work/$1
	mkdir "$dir"
	cat >"$dir/config" <<-CONFIG
		sip_listen $3:5060
		call_max_calls 2
		audio_player aubridge,x
		audio_source aubridge,x
		audio_alert aubridge,x
		module_path /usr/lib/baresip/modules
		module g711.so
		module aubridge.so
		module_tmp account.so
		module_app menu.so
		module_app ctrl_tcp.so
		ctrl_tcp_listen 127.0.0.1:4444
	CONFIG
	printf '<sip:%s@%s>;regint=0;answermode=manual\n' "$1" "$3" >"$dir/accounts"
	spawn "$dir/log" ip netns exec "$2" baresip -f "$dir"
	at_exit end_child "$spawned"
	wait_until 10 tell "$2" listcalls || {
		cat "$dir/log"
		die "baresip did not start"
	}
}

tell() { ip netns exec "$1" python3 "$e2e/tools/baresip.py" "${@:2}"; }
caller_does() { tell "$net-access" "$@"; }
callee_does() { tell "$net-core" "$@"; }

sent() { [[ $(grown sip_responses_total "direction=\"out\",code=\"$1\"") -ge $2 ]]; }
dialogs_are() { [[ $(edge_metric dialogs) -eq $1 ]]; }
at_least() { [[ $(grown "${@:2}") -ge $1 ]]; }

answered_call() {
	remember
	caller_does dial sip:bob@192.0.2.1
	wait_until 10 sent 180 1
	callee_does accept
	wait_until 10 dialogs_are 1
	wait_until 10 at_least 1 sip_requests_total 'direction="out",method="ACK"'
	caller_does hangup
	wait_until 10 at_least 1 dialogs_ended_total 'reason="bye"'
	edge_at_rest
	counted 1 dialogs_created_total
	counted 0 messages_total 'disposition="dropped"'
}

# The other side hangs up this time.
ended_by_the_callee() {
	remember
	caller_does dial sip:bob@192.0.2.1
	wait_until 10 sent 180 1
	callee_does accept
	wait_until 10 dialogs_are 1
	wait_until 10 at_least 1 sip_requests_total 'direction="out",method="ACK"'
	callee_does hangup
	wait_until 10 at_least 1 dialogs_ended_total 'reason="bye"'
	edge_at_rest
	counted 1 dialogs_created_total
	counted 0 messages_total 'disposition="dropped"'
}

cancelled_call() {
	remember
	caller_does dial sip:bob@192.0.2.1
	wait_until 10 sent 180 1
	caller_does hangup
	wait_until 10 sent 487 1
	edge_at_rest
	counted 0 dialogs_created_total
	counted 1 cancel_outcomes_total 'outcome="matched"'
	counted 0 messages_total 'disposition="dropped"'
}

refused_call() {
	remember
	caller_does dial sip:bob@192.0.2.1
	wait_until 10 sent 180 1
	callee_does hangup
	wait_until 10 at_least 1 sip_requests_total 'direction="in",method="ACK"'
	edge_at_rest
	counted 0 dialogs_created_total
	counted 0 messages_total 'disposition="dropped"'
}

# sipsak is content with a 200, and prints it.
options_to_the_edge() {
	local answer
	remember
	answer=$(access timeout 10 sipsak -vv -s sip:192.0.2.1:5060)
	echo "$answer"
	grep -q '^SIP/2.0 200' <<<"$answer"
	grep -q '^Allow: OPTIONS' <<<"$answer"
	grep -q '^Accept: application/sdp' <<<"$answer"
	grep -q '^Supported: path' <<<"$answer"
	counted 1 messages_total 'disposition="answered"'
}

kamailio_start() {
	mkdir "$work/kamailio"
	spawn "$work/kamailio/log" ip netns exec "$net-access" kamailio -DD -E -f "$e2e/kamailio_before.cfg" \
		-Y "$work/kamailio" -P "$work/kamailio/pid" -m 64 -M 8
	kamailio_pid=$spawned
	at_exit end_child "$kamailio_pid"
	wait_until 10 access sh -c 'ss -Hlun "sport = :5060" | grep -qF 192.0.2.3' || {
		cat "$work/kamailio/log"
		die "Kamailio did not start"
	}
}

# through_kamailio CALLER CALLEE COUNT: caller, Kamailio, edge, callee.
through_kamailio() {
	remember
	callee "$2" "$3" 10.0.0.3
	caller "$1" "$3" 192.0.2.4 192.0.2.3 kamailio
	callee_done
	edge_at_rest
	counted 0 messages_total 'disposition="dropped"'
}

# Of the two that are probed all the while, one is baresip, and where the other should be nobody listens.
probes_tell() {
	wait_until 10 edge_metric_is 1 trunk_up 'trunk="probed",target="sip:10.0.0.2:5060"'
	wait_until 10 edge_metric_is 0 trunk_up 'trunk="probed",target="sip:10.0.0.4:5060"'
	edge_ctl trunks
	edge_ctl trunks | grep -q '^probed  *up .*sip:10.0.0.2:5060'
	edge_ctl trunks | grep -q '^probed  *down .*sip:10.0.0.4:5060'
	[[ $(edge_metric trunk_probes_total 'target="sip:10.0.0.2:5060",result="answered"') -ge 2 ]]
	[[ $(edge_metric trunk_probes_total 'target="sip:10.0.0.4:5060",result="failed"') -ge 2 ]]
	counting_law < <(edge_http /metrics)
}
edge_metric_is() { [[ $(edge_metric "${@:2}") -eq $1 ]]; }

BYP_TRUNK='  - { name: probed, realm: core, probe: { interval: 1s, timeout: 300ms, up: 1, down: 2 },'
BYP_TRUNK+=' targets: [{ uri: "sip:10.0.0.2:5060" }, { uri: "sip:10.0.0.4:5060" }] }'
edge_start "$pmd" "$work"
check "OPTIONS by sipsak to the edge itself" options_to_the_edge
baresip_start alice "$net-access" 192.0.2.2
baresip_start bob "$net-core" 10.0.0.2
check "baresip calls baresip, who answers; the caller hangs up" answered_call
check "baresip calls baresip, who answers and hangs up" ended_by_the_callee
check "baresip calls baresip, and cancels while it rings" cancelled_call
check "baresip calls baresip, who refuses" refused_call
check "probes say who is up" probes_tell
kamailio_start
check "20 calls by way of Kamailio, ended by BYE" through_kamailio uac uas 20
check "20 calls by way of Kamailio, cancelled after 180" through_kamailio uac_cancel uas_cancel 20
check "the edge stops at SIGTERM with status 0" edge_stop
finish
