#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap
#
# Next hops that are names (RFC 3263), resolved through a name server in the edge's namespace: in a Request-URI, as a
# trunk's target; a server that is silent for a while, names that there are not.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

zone=$work/zone
cat >"$zone" <<-ZONE
	callee.test 2 NAPTR 10 10 s SIP+D2U _sip._udp.callee.test
	_sip._udp.callee.test 2 SRV 10 1 5060 dead.test
	_sip._udp.callee.test 2 SRV 20 1 5060 bob.test
	dead.test 2 A 10.0.0.1
	bob.test 2 A 10.0.0.2
	_sip._udp.trunk.test 2 SRV 1 1 5060 bob.test
	late.test 2 LATE
	late.test 2 A 10.0.0.2
	silent.test 60 SILENT
ZONE

# scenario_to NAME: the callers' scenarios with this name as the host of the Request-URI.
scenario_to() {
	local file
	mkdir -p "$work/scenarios"
	for file in "$e2e"/sipp/*.xml; do
		sed "s/@\[remote_ip\]:\[remote_port\] SIP/@$1 SIP/" "$file" >"$work/scenarios/${file##*/}"
	done
	scenarios=$work/scenarios
}

name_server() {
	ip -n "$net-edge" link set lo up
	spawn "$work/name_server.log" ip netns exec "$net-edge" python3 "$e2e/tools/name_server.py" 127.0.0.1 53 "$zone"
	at_exit end_child "$spawned"
}

resolved() { [[ $(edge_metric dns_names_total 'result="found"') -gt 0 ]]; }

by_name() {
	scenario_to "$1"
	calls "$2" "$3" "$4" byname
}

# The name is not known when the calls come; it takes 600 ms to find out.
parked() {
	remember
	by_name late.test uac uas 20
	[[ $(grown names_parked_total) -gt 0 ]]
	counted 0 messages_parked
}

refused() {
	scenario_to "$1"
	sed "s/response=\"[45]..\"/response=\"$2\"/" "$scenarios/uac_refused.xml" >"$scenarios/refused_$2.xml"
	[[ $2 == 503 ]] || sed -i '/<action>/d; /<Reference/d' "$scenarios/refused_$2.xml" # no Retry-After
	caller "refused_$2" 5 192.0.2.2 192.0.2.1 byname
	edge_at_rest
}

BYP_DNS=127.0.0.1
edge_start "$pmd" "$work"
name_server
check "the target of a trunk is found" wait_until 15 resolved
check "50 calls to a trunk of a name, ended by BYE" calls uac uas 50 named
check "50 calls to a name, ended by BYE" by_name callee.test uac uas 50
check "50 calls to a name, cancelled after 180" by_name callee.test uac_cancel uas_cancel 50
check "20 calls that wait for their name" parked
check "5 calls to a name that there is not: 404" refused nobody.test 404
check "5 calls to a name that no server knows about: 503" refused silent.test 503
check "the edge stops at SIGTERM with status 0" edge_stop
finish
