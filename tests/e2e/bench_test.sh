#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: none
#
# What measures the edge works: the whole data path in one process in every scenario, the generator on memif, and all of
# scripts/bench, quickly. No number counts here but those of failed calls.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

build=${BYP_BUILD:-$BYP_TOP/build}
bench=$build/tests/bench/byepass-bench

# through_the_edge OPTION...: byepass-bench call at a low rate.
through_the_edge() {
	timeout -k 5 120 "$bench" call --rate 300 --warm-up 0.1 --seconds 0.5 --no-bytes --transactions 100000 --hugepages off \
		--json "$work/call.json" "$@"
	"$e2e/tools/calls_well.py" "$work/call.json"
}

memif_config() {
	cat <<-YAML
		workers: { cpus: [$([[ $(nproc) -gt 1 ]] && echo 1 || echo 0)], control_cpu: 0, hugepages: off }
		capacity: { transactions: 65536, dialogs: 65536 }
		timers: $short_timers
		ports:
		  - { name: p0, device: "net_memif0,role=server,socket=$work/p0.sock,socket-abstract=no" }
		  - { name: p1, device: "net_memif1,role=server,socket=$work/p1.sock,socket-abstract=no" }
		realms:
		  - { name: access, port: p0, address: 192.0.2.1/24, listen: ["udp:5060"], trust: untrusted }
		  - { name: core, port: p1, address: 10.0.0.1/24, listen: ["udp:5060"], trust: trusted }
		trunks:
		  - { name: core, realm: core, targets: [{ uri: "sip:10.0.0.2:5060" }] }
		routes:
		  - { from: access, trunk: core }
		control: { http: none, socket: $work/control.sock }
	YAML
}

memif() {
	memif_config >"$work/memif.yaml"
	spawn "$work/memif.log" "$build/control/byepass" --config "$work/memif.yaml"
	local edge=$spawned
	at_exit end_child "$edge"
	edge_dir=$work
	wait_until 30 edge_http /readyz || {
		cat "$work/memif.log"
		return 1
	}
	timeout -k 5 90 "$bench" load --eal "--no-huge --no-shconf -m 256 --no-pci
		--vdev=net_memif0,role=client,socket=$work/p0.sock,socket-abstract=no
		--vdev=net_memif1,role=client,socket=$work/p1.sock,socket-abstract=no" \
		--caller 0,192.0.2.50 --callee 1,10.0.0.2 --target 192.0.2.1 --target-callee-side 10.0.0.1 \
		--rate 300 --seconds 1 --settle 0.3 --drain 40 --json "$work/load.json" --scenario mixed
	"$e2e/tools/calls_well.py" "$work/load.json"
	edge_at_rest 30
}

quick_run() {
	"$BYP_TOP/scripts/bench" --quick --build "$build" --json "$work/bench.json"
	python3 "$BYP_TOP/scripts/lib/bench.py" check "$work/bench.json" parse table engine loopback call compare
}

pmd=ring
for scenario in cancel cancel-early race mixed options register; do
	check "byepass-bench call --scenario $scenario" through_the_edge --scenario "$scenario"
done
check "byepass-bench call, 180 to 200 and calls that are up" through_the_edge --ring 0.05 --hold 0.1 --sources 8 --seconds 2
if [[ $(nproc) -gt 1 ]]; then
	check "byepass-bench call, two workers" through_the_edge --workers 2 --inline
	check "byepass-bench call, two workers, one flow" through_the_edge --workers 2 --inline --hot
	pmd=memif
	check "byepass-bench load: 300 calls/s" memif
	pmd=none
	check "scripts/bench --quick" quick_run
else
	skipped "two workers, memif, scripts/bench: there is only one CPU"
fi
finish
