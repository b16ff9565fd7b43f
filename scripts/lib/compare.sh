# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The same callers and callees over the same pair of interfaces: first through nothing but the wire (testpmd sends every frame
# back), then through Kamailio on one CPU, then through byepass on the same one. The generator has the other CPU.
#
#   $compare-load                       $compare-edge
#   byepass-bench load on v0  ------  v1: Kamailio on the kernel's stack, or byepass or testpmd on net_af_packet
#   caller 10.9.1.1, callee 10.9.2.1    10.9.0.1 (and 10.9.0.2, the other side of byepass)
#
# Every run of the generator is bounded in time; targets are ended by their pid, and so is whatever is left in the
# namespaces, on every way out.

compare=${BYP_NET:-byp-bench}
compare_dir=''
target_pid=''
compare_rings=framesz=2048,blocksz=65536,framecnt=8192 # of every net_af_packet here, the generator's and the targets'

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
	else
		ip -n "$compare-edge" link set v1 promisc on
	fi
}

# As long a queue as Kamailio wants: what is compared is the proxy, not the default of a socket.
compare_long_queues() {
	local before
	before=$(sysctl -n net.core.rmem_max 2>/dev/null) || return 0
	[[ $before -lt 16777216 ]] || return 0
	at_exit sysctl -qw "net.core.rmem_max=$before"
	sysctl -qw net.core.rmem_max=16777216 2>/dev/null || true
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
		capacity: { transactions: 4194304, dialogs: 2097152 }
		ports:
		  - { name: p0, device: "net_af_packet0,iface=v1,$compare_rings" }
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

target_ready() {
	! alive "$target_pid" || case $1 in
	kamailio) ip netns exec "$compare-edge" ss -Hlun | grep -q '10.9.0.1:5060' ;;
	byepass) curl -sf --max-time 2 --unix-socket "$compare_dir/control.sock" http://edge/readyz ;;
	wire) grep -q 'NIC statistics' "$compare_dir/wire.log" ;;
	esac
}

# start_target wire|kamailio|byepass: on CPU 1, its pid in $target_pid.
start_target() {
	local in=(ip netns exec "$compare-edge")
	case $1 in
	wire)
		compare_up bypass
		spawn "$compare_dir/wire.log" "${in[@]}" dpdk-testpmd --no-huge --no-shconf -m 512 --no-pci --no-telemetry \
			--lcores '0@0,1@1' --vdev="net_af_packet0,iface=v1,$compare_rings" -- --forward-mode=macswap --auto-start \
			--nb-cores=1 --total-num-mbufs=32768 --stats-period=5
		;;
	kamailio)
		compare_up kernel
		kamailio_config >"$compare_dir/kamailio.cfg"
		spawn "$compare_dir/kamailio.log" "${in[@]}" taskset -c 1 kamailio -DD -E -m 2048 -M 32 -b 16777216 \
			-Y "$compare_dir" -P "$compare_dir/kamailio.pid" -f "$compare_dir/kamailio.cfg"
		;;
	byepass)
		compare_up bypass
		byepass_config >"$compare_dir/edge.yaml"
		spawn "$compare_dir/byepass.log" "${in[@]}" "$bench_build/control/byepass" --config "$compare_dir/edge.yaml"
		;;
	esac
	target_pid=$spawned
	at_exit end_child "$target_pid"
	if ! wait_until 30 target_ready "$1" || ! alive "$target_pid"; then
		tail -n 40 "$compare_dir/$1.log" >&2
		die "$1 does not start"
	fi
}

stop_target() {
	kill -TERM "$target_pid" 2>/dev/null || true
	sleep 0.3
	kill -TERM "$target_pid" 2>/dev/null || true # calls that are up are cut
	end_child "$target_pid" 5
	compare_down
}

# Nanoseconds of CPU that the target's threads have taken so far, all of them.
target_cpu_ns() {
	local pid
	for pid in $(ip netns pids "$compare-edge"); do
		cat /proc/"$pid"/task/*/schedstat 2>/dev/null || true
	done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# load LIMIT JSON OPTION...: one run of the generator against $target; it is ended after LIMIT seconds, and tells what it
# found by then.
load() {
	local limit=$1 json=$2 addresses=(--target 10.9.0.1)
	shift 2
	case $target in
	byepass) addresses+=(--target-callee-side 10.9.0.2) ;;
	wire) addresses=(--target 10.9.2.1 --direct) ;;
	esac
	timeout -k 5 "$limit" ip netns exec "$compare-load" "$bench_build/tests/bench/byepass-bench" load \
		--eal "--no-huge --no-shconf -m 512 --no-pci --vdev=net_af_packet0,iface=v0,$compare_rings" \
		--cpu 0 --caller 0,10.9.1.1 --callee 0,10.9.2.1 "${addresses[@]}" --json "$json" "$@" 2>&1
}

# measure NAME RATE SECONDS: after $settle seconds, CPU and latency of $target at that rate, into $compare_dir/$target-NAME.json and .cpu.
measure() {
	local file=$compare_dir/$target-$1 rate=$2 seconds=$3 before after
	say "$target: CPU and latency at $rate calls/s"
	before=$(target_cpu_ns)
	load "$((seconds + 30))" "$file.json" --rate "$rate" --seconds "$seconds" --settle "$settle" --drain 5 >"$file.log" || {
		tail -n 20 "$file.log"
		die "$target: no call came through at $rate calls/s"
	}
	after=$(target_cpu_ns)
	echo $((after - before)) >"$file.cpu"
}

# part_of SHARE: of the highest rate of $target.
part_of() {
	python3 "$BYP_TOP/scripts/lib/bench.py" rate "$compare_dir/$target-search.json" "$1"
}

# find SECONDS QUICK: the highest rate of $target, into $compare_dir/$target-search.json.
find_rate() {
	local how=(--search 0.001 --seconds "$1" --settle 1 --drain 3 --tries 2 --from "$2")
	[[ -z $3 ]] || how=(--rate 100 --seconds 1 --settle 0.2 --drain 3)
	say "$target: ${3:+(not looked for) }the highest rate with at most one call of a thousand lost or repaired"
	load 420 "$compare_dir/$target-search.json" "${how[@]}" >"$compare_dir/$target-search.log" || {
		tail -n 20 "$compare_dir/$target-search.log"
		die "$target: no calls came through"
	}
	sed 's/^/    /' "$compare_dir/$target-search.log"
}

# compare_targets JSON SECONDS [quick]: all three, and the table. Without testpmd (quick only) not the wire.
compare_targets() {
	local json=$1 seconds=$2 quick=${3:-} target rate='' settle=2
	[[ $(nproc) -ge 2 ]] || die "the comparison needs two CPUs: one for the generator, one for the target"
	compare_dir=$(mktemp -d /tmp/byepass-compare.XXXXXX)
	at_exit rm -rf "$compare_dir"
	at_exit compare_down
	compare_long_queues
	[[ -z $quick ]] || settle=0.5
	for target in kamailio byepass wire; do
		if [[ $target == wire && -n $quick ]] && ! command -v dpdk-testpmd >/dev/null; then
			say "wire: there is no dpdk-testpmd"
			continue
		fi
		start_target "$target"
		find_rate "$seconds" "$([[ $target == kamailio ]] && echo 500 || echo 4000)" "$quick"
		[[ -n $rate ]] || rate=$(part_of 0.8) # of Kamailio, which is the first one
		measure rate "$rate" "$((seconds * 2))"
		[[ -n $quick || $target == wire ]] || measure own "$(part_of 0.8)" "$((seconds * 2))"
		stop_target
	done
	python3 "$BYP_TOP/scripts/lib/bench.py" compare "$compare_dir" "$json"
}
