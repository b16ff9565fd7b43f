# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The edge itself: its configuration, start, readiness, counters, end. It runs in the namespace $net-edge, on
# the network of network.sh, and keeps its files in $edge_dir.

edge_pid=''
edge_dir=''
edge_binaries=${BYP_BUILD:-$BYP_TOP/build}/control

# The device of port $2 (0 or 1) for PMD $1, with a queue pair for each CPU of $3. A TAP gets them without asking.
edge_device() {
	local commas=${3//[^,]/}
	local queues=$((${#commas} + 1))
	case $1 in
	tap) echo "net_tap$2,iface=byp$2" ;;
	af_packet) echo "net_af_packet$2,iface=byp$2,qpairs=$queues" ;;
	af_xdp) echo "net_af_xdp$2,iface=byp$2" ;;
	*) die "no such PMD: $1" ;;
	esac
}

# edge_config PMD: the configuration, on stdout. Callers dial bob (core, IPv4), bob6 (core, IPv6) or
# kamailio. BYP_CPUS: those of the workers, "0, 1"; BYP_POLL: busy or adaptive; BYP_TIMERS: other timers than the
# RFC's; BYP_TRUNK: a line for one more trunk; BYP_DRAIN: how long calls may go on after SIGTERM; BYP_DNS: name servers, for
# callers who dial named (a trunk of trunk.test) or who say a name (user byname); BYP_SECRETS: a file of keys; BYP_HUGEPAGES;
# BYP_CDR_CONFIG: call detail records, "{ folder: ... }".
edge_config() {
	local cpus=${BYP_CPUS:-1} dns='' trunk='' routes=''
	if [[ -n ${BYP_DNS:-} ]]; then
		dns="dns: { servers: $BYP_DNS, timeout: 300ms, wait: 2s, min_ttl: 1s }"
		trunk='- { name: named, realm: core, targets: [{ uri: "sip:trunk.test" }] }'
		routes='- { from: access, user_prefix: named, trunk: named }
  - { from: access, user_prefix: byname, realm: core }'
	fi
	[[ $(nproc) -gt 1 ]] || cpus=0
	cat <<-YAML
		workers: { cpus: [$cpus], control_cpu: 0, poll: ${BYP_POLL:-adaptive}, hugepages: "${BYP_HUGEPAGES:-auto}" }
		secrets: { file: "${BYP_SECRETS:-none}" }
		capacity: { transactions: 65536, dialogs: 65536 }
		timers: ${BYP_TIMERS:-"{ t1: 500ms, t2: 4s, t4: 5s, c: 180s }"}
		trace: { messages: 10000 }
		$dns
		drain: ${BYP_DRAIN:-10s}
		ports:
		  - { name: p0, device: "$(edge_device "$1" 0 "$cpus")" }
		  - { name: p1, device: "$(edge_device "$1" 1 "$cpus")" }
		realms:
		  - { name: access, port: p0, address: [192.0.2.1/24, "2001:db8:1::1/64"], listen: ["udp:5060"], trust: untrusted }
		  - { name: core, port: p1, address: [10.0.0.1/24, "2001:db8:2::1/64"], listen: ["udp:5060"], trust: trusted }
		trunks:
		  - { name: core, realm: core, targets: [{ uri: "sip:10.0.0.2:5060" }] }
		  - { name: core6, realm: core, targets: [{ uri: "sip:[2001:db8:2::2]:5060" }] }
		  - { name: kamailio, realm: core, targets: [{ uri: "sip:10.0.0.3:5060" }] }
		${BYP_TRUNK:-}
		  $trunk
		routes:
		  $routes
		  - { from: access, user_prefix: bob6, trunk: core6 }
		  - { from: access, user_prefix: kamailio, trunk: kamailio }
		  - { from: access, trunk: core }
		control: { http: "127.0.0.1:9060", socket: $edge_dir/control.sock }
		${BYP_CDR_CONFIG:+cdr: $BYP_CDR_CONFIG}
	YAML
}

edge_http() { curl -sf --max-time 3 --unix-socket "$edge_dir/control.sock" "http://edge$1"; }
edge_ctl() { "$edge_binaries/byepassctl" --socket "$edge_dir/control.sock" "$@"; }

edge_ready_or_gone() { ! alive "$edge_pid" || edge_http /readyz; }

# Runs the edge as a child and writes down how it ended, so that any subshell can ask. ip netns exec mounts a fresh
# /sys; AF_XDP wants the BPF file system in it.
edge_supervise() {
	local status=0
	trap - EXIT
	trap : INT TERM HUP # not for the edge, which has a session of its own, and not for who waits for it
	set +e
	exec 9>&- </dev/null 2>/dev/null
	setsid ip netns exec "$net-edge" sh -c 'mount -t bpf bpf /sys/fs/bpf 2>/dev/null; exec "$@"' sh "$@" \
		>"$edge_dir/edge.log" 2>&1 &
	echo $! >"$edge_dir/pid"
	wait $!
	status=$?
	while alive $!; do # the wait was interrupted
		wait $!
		status=$?
	done
	echo "$status" >"$edge_dir/status"
}

# GDB=1: a debugger looks on; a crash prints the backtraces of all threads into edge.gdb.
edge_debug() {
	spawn "$edge_dir/edge.gdb" gdb -q -batch -p "$edge_pid" -ex 'handle SIGTERM nostop noprint pass' -ex continue \
		-ex 'thread apply all backtrace'
	at_exit end_child "$spawned"
}

# edge_start PMD DIRECTORY: network, configuration, daemon; returns when calls may come.
edge_start() {
	local pmd=$1
	edge_dir=$2
	network_up "$pmd"
	edge_config "$pmd" >"$edge_dir/edge.yaml"
	at_exit edge_end
	edge_begin "$pmd"
}

# edge_begin PMD: the daemon, on a network that is up; also again, after its end.
edge_begin() {
	local pmd=$1
	rm -f "$edge_dir/pid" "$edge_dir/status"
	edge_supervise "$edge_binaries/byepass" --config "$edge_dir/edge.yaml" &
	wait_until 5 test -s "$edge_dir/pid" || die "the edge's process could not be made"
	edge_pid=$(<"$edge_dir/pid")
	[[ -z ${GDB:-} ]] || edge_debug
	if ! wait_until 30 edge_ready_or_gone || ! alive "$edge_pid"; then
		cat "$edge_dir/edge.log" >&2
		die "the edge did not start on $pmd"
	fi
	network_attach "$pmd"
	edge_greet
}

# One echo over each address, so that both ends know each other before the first call.
edge_greet() {
	wait_until 10 access ping -c 1 -W 1 192.0.2.1 || die "the edge does not answer on 192.0.2.1"
	wait_until 10 core ping -c 1 -W 1 10.0.0.1 || die "the edge does not answer on 10.0.0.1"
	wait_until 10 access ping -c 1 -W 1 2001:db8:1::1 || die "the edge does not answer on 2001:db8:1::1"
	wait_until 10 core ping -c 1 -W 1 2001:db8:2::1 || die "the edge does not answer on 2001:db8:2::1"
}

# edge_stop [SECONDS]: TERM. True if it ended by itself in that time, with exit status 0.
edge_stop() {
	kill -TERM "$edge_pid"
	edge_wait "${1:-15}"
}

# edge_crash: KILL, as a crash or a power cut would.
edge_crash() {
	kill -KILL "$edge_pid"
	wait_until 5 test -s "$edge_dir/status"
}

# edge_wait SECONDS: for the end of an edge that was told to stop.
edge_wait() {
	wait_until "$1" test -s "$edge_dir/status" || {
		echo "the edge is still there $1 s after SIGTERM"
		return 1
	}
	[[ $(<"$edge_dir/status") -eq 0 ]] || {
		echo "the edge ended with status $(<"$edge_dir/status")"
		return 1
	}
}

# The end for a script that is over, whatever state the edge is in. An orderly end may take as long as the calls that
# are up may (drain); the second signal cuts them.
edge_end() {
	local step
	edge_pid=$(cat "$edge_dir/pid" 2>/dev/null) || return 0 # a subshell may have started it again
	for step in TERM:12 TERM:3 KILL:2; do
		[[ ! -s $edge_dir/status ]] || return 0
		kill -"${step%:*}" "$edge_pid" 2>/dev/null
		wait_until "${step#*:}" test -s "$edge_dir/status" || true
	done
}

# metric NAME [LABEL-TEXT]: the sum of all samples of NAME in the metrics on stdin, whose labels contain the text.
metric() {
	awk -v name="byepass_$1" -v label="${2:-}" '
		{ sample = $1; sub(/[{].*/, "", sample) }
		sample == name && (label == "" || index($0, label)) { sum += $NF; found = 1 }
		END { printf "%d\n", sum; exit !found }'
}

edge_metric() { edge_http /metrics | metric "$@"; }

# counting_law: of the metrics on stdin. received = forwarded + answered + absorbed + dropped.
counting_law() {
	awk '
		$1 == "byepass_messages_received_total" { received = $2; found = 1 }
		/^byepass_messages_total[{]/ || $1 == "byepass_messages_parked" { accounted += $NF }
		$1 == "byepass_counting_law_holds" { holds = $2 }
		END {
			if (found && received == accounted && holds == 1) exit 0
			printf "the counting law: %d received, %d accounted for, the edge says %d\n", received, accounted, holds
			exit 1
		}'
}

# Nothing under way, every record back in its pool: of the metrics on stdin.
all_home() {
	awk '
		$1 ~ /^byepass_(transactions[{].*|dialogs|calls_reserved|kept_messages)$/ {
			seen++
			if ($NF != 0) { print $1, $NF, "is not back"; away++ }
		}
		END { exit away || seen < 5 }'
}

at_rest() { edge_http /metrics >"$edge_dir/rest" && all_home <"$edge_dir/rest"; }

# edge_at_rest [SECONDS]: waits until all records went home, then every message must be accounted for.
edge_at_rest() {
	wait_until "${1:-10}" at_rest || {
		at_rest
		return 1
	}
	counting_law <"$edge_dir/rest"
}
