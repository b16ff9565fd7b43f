#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet af_xdp
#
# The edge as a host on its networks: ARP, neighbour discovery, echo, closed ports, fragments.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

# Forgets the neighbour first, so that it must be asked for.
reachable() {
	local side=$1 address=$2
	ip -n "$net-$side" neigh flush all
	"$side" ping -c 3 -i 0.2 -W 2 -s 1000 "$address"
	ip -n "$net-$side" neigh show "$address" | grep -E 'REACHABLE|DELAY'
}

closed_port() {
	access python3 -B "$e2e/tools/closed_port.py" 192.0.2.1 5999
	access python3 -B "$e2e/tools/closed_port.py" 2001:db8:1::1 5999
}

reassembled() { core awk '/^Ip: [0-9]/ { v4 = $16 } $1 == "Ip6ReasmOKs" { v6 = $2 } END { print v4 + v6 }' /proc/net/snmp /proc/net/snmp6; }

# large_invite HERE EDGE THERE WHOM
large_invite() {
	local before
	before=$(reassembled)
	remember
	spawn "$work/large.log" ip netns exec "$net-core" python3 -B "$e2e/tools/large_invite.py" callee "$3"
	callee_pid=$spawned
	at_exit end_child "$callee_pid"
	wait_until 5 grep -q ready "$work/large.log"
	access python3 -B "$e2e/tools/large_invite.py" caller "$1" "$2" "$4"
	wait_until 5 gone "$callee_pid" || true
	cat "$work/large.log"
	wait "$callee_pid"
	[[ $(reassembled) -gt $before ]] || {
		echo "the INVITE did not leave the edge in fragments"
		return 1
	}
	edge_at_rest
	counted 1 dialogs_ended_total 'reason="bye"'
}

edge_start "$pmd" "$work"
check "ARP and echo, access" reachable access 192.0.2.1
check "ARP and echo, core" reachable core 10.0.0.1
check "neighbour discovery and echo, access" reachable access 2001:db8:1::1
check "neighbour discovery and echo, core" reachable core 2001:db8:2::1
check "a closed port is answered with ICMP" closed_port
# Here AF_PACKET has the kernel reassemble (PACKET_FANOUT_FLAG_DEFRAG), and the edge gets one large frame.
check "INVITE of 4,000 bytes in scrambled fragments, IPv4" large_invite 192.0.2.2 192.0.2.1 10.0.0.2 bob
check "INVITE of 4,000 bytes in scrambled fragments, IPv6" \
	large_invite 2001:db8:1::2 2001:db8:1::1 2001:db8:2::2 bob6
check "the edge stops at SIGTERM with status 0" edge_stop
finish
