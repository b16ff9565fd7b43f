# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The network that calls are placed in: three namespaces, made and removed here.
#
#   $net-access                    $net-edge                     $net-core
#   192.0.2.2/24      byp0 ------ byepass ------ byp1      10.0.0.2/24 (and .3, .4)
#   2001:db8:1::2/64           .1 and ::1 on both sides         2001:db8:2::2/64
#
# With net_tap, byepass makes the interfaces byp0 and byp1 itself, in its own namespace, and network_attach
# moves them to the two others. With net_af_packet and net_af_xdp they are one end of a veth pair each.

# Prefix of the namespaces. Tests take another one than `scripts/run`, which may be up with --keep; BYP_NET names yet
# another, for a second run beside them.
net=${BYP_NET:-byp}

access() { ip netns exec "$net-access" "$@"; }
core() { ip netns exec "$net-core" "$@"; }
edge_net() { ip netns exec "$net-edge" "$@"; }

# Ends what still runs in one of our namespaces (a killed run leaves it behind), then removes it.
network_remove_one() {
	local name=$1 pid
	[[ -e /run/netns/$name ]] || return 0
	for pid in $(ip netns pids "$name" 2>/dev/null); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	ip netns delete "$name" 2>/dev/null || true
}

network_down() {
	network_remove_one "$net-access"
	network_remove_one "$net-core"
	network_remove_one "$net-edge"
}

# An interface of a host beside the edge: its addresses, full checksums (a veth leaves them to a NIC that does not
# exist), no offload that would glue packets together.
network_host() {
	local name=$1 interface=$2
	shift 2
	ip -n "$name" link set "$interface" name eth0
	ip netns exec "$name" ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1 || true
	local address
	for address in "$@"; do
		case $address in
		*:*) ip -n "$name" address add "$address" dev eth0 nodad ;;
		*) ip -n "$name" address add "$address" dev eth0 ;;
		esac
	done
	ip -n "$name" link set eth0 up
}

network_hosts() {
	network_host "$net-access" "$1" 192.0.2.2/24 192.0.2.3/24 192.0.2.4/24 2001:db8:1::2/64
	network_host "$net-core" "$2" 10.0.0.2/24 10.0.0.3/24 10.0.0.4/24 2001:db8:2::2/64
}

# network_up tap|af_packet|af_xdp: before the edge starts.
network_up() {
	local pmd=$1 side
	network_down
	at_exit network_down
	for side in access core edge; do
		ip netns add "$net-$side"
		ip -n "$net-$side" link set lo up
	done
	# The kernel beside byepass must keep out of its ports.
	edge_net sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	[[ $pmd != tap ]] || return 0
	ip -n "$net-edge" link add byp0 type veth peer name eth0 netns "$net-access"
	ip -n "$net-edge" link add byp1 type veth peer name eth0 netns "$net-core"
	for side in byp0 byp1; do
		edge_net ethtool -K "$side" tx off tso off gso off gro off >/dev/null 2>&1 || true
		ip -n "$net-edge" link set "$side" up promisc on
	done
	network_hosts eth0 eth0
}

# network_attach PMD: after the edge's ports are there.
network_attach() {
	[[ $1 == tap ]] || return 0
	wait_until 10 ip -n "$net-edge" link show byp1 || die "the edge made no TAP interfaces"
	ip -n "$net-edge" link set byp0 netns "$net-access"
	ip -n "$net-edge" link set byp1 netns "$net-core"
	# The TAP device has the address of the edge's own port; two hosts on one wire need two.
	ip -n "$net-access" link set byp0 address 02:00:00:00:00:02
	ip -n "$net-core" link set byp1 address 02:00:00:00:01:02
	network_hosts byp0 byp1
}
