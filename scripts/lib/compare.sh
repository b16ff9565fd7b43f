# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The same callers and callees over the same pair of interfaces, first through Kamailio on one CPU, then through byepass on
# the same one. The generator has the other CPU.
#
#   $compare-load                       $compare-edge
#   byepass-bench load on v0  ------  v1: Kamailio on the kernel's stack, or byepass on net_af_packet
#   caller 10.9.1.1, callee 10.9.2.1    10.9.0.1 (and 10.9.0.2, the other side of byepass)

compare=${BYP_NET:-byp-bench}
compare_dir=''
target_pid=''

compare_down() {
	local name pid
	for name in "$compare-load" "$compare-edge"; do
		[[ -e /run/netns/$name ]] || continue
		for pid in $(ip netns pids "$name" 2>/dev/null); do
			kill -KILL "$pid" 2>/dev/null || true
		done
		ip netns delete "$name" 2>/dev/null || true
	done
}

# compare_up kernel|bypass: two namespaces and one veth pair. With `kernel` the target's end has its address.
compare_up() {
	local side
	compare_down
	for side in load edge; do
		ip netns add "$compare-$side"
		ip netns exec "$compare-$side" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		ip -n "$compare-$side" link set lo up
	done
	ip -n "$compare-load" link add v0 type veth peer name v1 netns "$compare-edge"
	ip netns exec "$compare-load" ethtool -K v0 tx off tso off gso off gro off >/dev/null 2>&1 || true
	ip netns exec "$compare-edge" ethtool -K v1 tx off tso off gso off gro off >/dev/null 2>&1 || true
	ip -n "$compare-load" link set v0 up promisc on
	ip -n "$compare-edge" link set v1 up
	if [[ $1 == kernel ]]; then
		ip -n "$compare-edge" address add 10.9.0.1/16 dev v1
		# as long a queue as it wants: what is compared is the proxy, not the default of a socket
		sysctl -qw net.core.rmem_max=16777216 2>/dev/null || true
	else
		ip -n "$compare-edge" link set v1 promisc on
	fi
}

kamailio_config() {
	cat <<-'CFG'
		# Stateful, record-routing, every call on to 10.9.2.1: what the edge does, as Kamailio is usually told to.
		debug=0
		log_stderror=yes
		children=4
		disable_tcp=yes
		auto_aliases=no
		listen=udp:10.9.0.1:5060
		udp_mtu=0
		loadmodule "tm.so"
		loadmodule "sl.so"
		loadmodule "rr.so"
		loadmodule "pv.so"
		loadmodule "textops.so"
		loadmodule "siputils.so"
		loadmodule "maxfwd.so"
		request_route {
			if (!mf_process_maxfwd_header("70")) {
				sl_send_reply("483", "Too Many Hops");
				exit;
			}
			if (has_totag()) {
				if (loose_route()) { t_relay(); }
				else if (is_method("ACK")) { if (t_check_trans()) t_relay(); }
				else { sl_send_reply("404", "No such call"); }
				exit;
			}
			if (is_method("CANCEL")) {
				if (t_check_trans()) t_relay();
				exit;
			}
			t_check_trans();
			if (is_method("INVITE")) record_route();
			$du = "sip:10.9.2.1:5060";
			t_relay();
		}
	CFG
}

byepass_config() {
	cat <<-YAML
		workers: { cpus: [1], control_cpu: 0 }
		capacity: { transactions: 4194304, dialogs: 262144 }
		ports:
		  - { name: p0, device: "net_af_packet0,iface=v1" }
		realms:
		  - { name: access, port: p0, address: 10.9.0.1/16, listen: ["udp:5060"], trust: untrusted }
		  - { name: core, port: p0, address: 10.9.0.2/16, listen: ["udp:5060"], trust: trusted }
		trunks:
		  - { name: core, realm: core, targets: [{ uri: "sip:10.9.2.1:5060" }] }
		routes:
		  - { from: access, trunk: core }
		control: { http: none, socket: $compare_dir/control.sock }
	YAML
}

# start_target kamailio|byepass: on CPU 1, its pid in $target_pid.
start_target() {
	if [[ $1 == kamailio ]]; then
		compare_up kernel
		kamailio_config >"$compare_dir/kamailio.cfg"
		spawn "$compare_dir/kamailio.log" ip netns exec "$compare-edge" taskset -c 1 kamailio -DD -E -m 2048 -M 32 \
			-f "$compare_dir/kamailio.cfg"
	else
		compare_up bypass
		byepass_config >"$compare_dir/edge.yaml"
		spawn "$compare_dir/byepass.log" ip netns exec "$compare-edge" "$bench_build/control/byepass" \
			--config "$compare_dir/edge.yaml"
	fi
	target_pid=$spawned
	at_exit end_child "$target_pid"
	sleep 3
	alive "$target_pid" || {
		cat "$compare_dir/$1.log" >&2
		die "$1 does not start"
	}
}

stop_target() {
	kill -TERM "$target_pid" 2>/dev/null || true
	kill -TERM "$target_pid" 2>/dev/null || true # calls that are up are cut
	end_child "$target_pid" 5
	compare_down
}

# Ticks of the CPU that the target's processes have taken so far, all of them.
target_ticks() {
	local pid
	for pid in $(ip netns pids "$compare-edge"); do
		cut -d ' ' -f 14-15 "/proc/$pid/stat" 2>/dev/null || true
	done | awk '{ sum += $1 + $2 } END { print sum + 0 }'
}

# load JSON OPTION...: one run of the generator against the target.
load() {
	local json=$1 side=10.9.0.2
	shift
	[[ $target == byepass ]] || side=10.9.0.1
	ip netns exec "$compare-load" "$bench_build/tests/bench/byepass-bench" load \
		--eal "--no-huge --no-shconf -m 512 --no-pci --no-telemetry --vdev=net_af_packet0,iface=v0,framesz=2048,blocksz=65536,framecnt=8192" \
		--cpu 0 --caller 0,10.9.1.1 --callee 0,10.9.2.1 --target 10.9.0.1 --target-callee-side "$side" \
		--json "$json" "$@" 2>&1
}

# measure TARGET RATE SECONDS: CPU and latency at that rate, into $compare_dir/TARGET.json.
measure() {
	local target=$1 rate=$2 seconds=$3 before after
	before=$(target_ticks)
	load "$compare_dir/$target-rate.json" --rate "$rate" --seconds "$seconds" --settle 2 >"$compare_dir/$target-rate.log" || true
	after=$(target_ticks)
	echo $((after - before)) >"$compare_dir/$target-ticks"
}

# compare_targets JSON SECONDS: both, and the table.
compare_targets() {
	local json=$1 seconds=$2 target rate=''
	compare_dir=$(mktemp -d /tmp/byepass-compare.XXXXXX)
	at_exit rm -rf "$compare_dir"
	at_exit compare_down
	for target in kamailio byepass; do
		say "$target: the highest rate with less than one call of a thousand lost or repaired"
		start_target "$target"
		load "$compare_dir/$target-search.json" --search 0.001 --seconds "$seconds" --settle 1 | sed 's/^/    /'
		# both at the same rate: 80 % of what Kamailio carries
		[[ -n $rate ]] || rate=$(python3 -c 'import json, sys; print(int(json.load(open(sys.argv[1]))["highest_rate"] * 0.8))' \
			"$compare_dir/kamailio-search.json")
		say "$target: CPU and latency at $rate calls/s"
		measure "$target" "$rate" "$((seconds * 2))"
		stop_target
	done
	python3 "$BYP_TOP/scripts/lib/bench.py" compare "$compare_dir" "$json"
}
