#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: none
#
# scripts/run as people start it: to its end, with Ctrl-C amid the calls, with --keep. Each time the machine is then as
# it was before.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

run_net=${net}run # a network of its own
edge_dir=/run/byepass-$run_net

# What scripts/run makes on the machine; all of it bears the name of its network.
traces() {
	ls -d "/run/netns/$run_net"* "/run/byepass-$run_net"* "/tmp/$run_net"* /dev/hugepages/*map_* 2>/dev/null || true
	pgrep -af "/(run/byepass-|tmp/)$run_net" || true
}

# Huge pages are the whole machine's, and whoever else runs may take some meanwhile: unit-worker-memory watches those.
as_before() { diff "$work/before" <(traces) >"$work/diff"; }

# run [OPTION...]: scripts/run in the background, as a terminal would start it: with a SIGINT that is not ignored.
run() {
	traces >"$work/before"
	spawn "$work/run.log" env --default-signal=INT,QUIT BYP_NET="$run_net" BYP_BUILD="${edge_binaries%/control}" \
		"$BYP_TOP/scripts/run" "$@"
	at_exit end_child "$spawned" 20
}

# ended STATUS: it ends with that status in time, and leaves nothing.
ended() {
	local status=0
	wait_until 30 gone "$spawned" || echo "still there"
	end_child "$spawned"
	wait "$spawned" || status=$?
	tail -n 15 "$work/run.log"
	[[ $status -eq $1 ]] || {
		echo "exit status $status, expected $1"
		return 1
	}
	wait_until 2 as_before || {
		echo "left behind:"
		cat "$work/diff"
		return 1
	}
}

# drawn TITLE WORD...: the ladder below the title shows every word.
drawn() {
	local word
	sed -n "/^$1:/,/^The counters\|^CANCEL:/{/^$1:/p;/^[^A-Z]/p}" "$work/run.log" >"$work/ladder"
	for word in "${@:2}"; do
		grep -qw "$word" "$work/ladder" || {
			echo "no $word below $1:"
			cat "$work/ladder"
			return 1
		}
	done
}

to_its_end() {
	run
	ended 0
	drawn BYE INVITE 100 180 200 ACK BYE
	drawn CANCEL INVITE 100 180 CANCEL 200 487 ACK
	grep -q 'counting law   *holds' "$work/run.log"
}

# Ctrl-C reaches all that the terminal sees.
interrupt() { kill -INT -- "-$spawned"; }

calls_go_on() { [[ $(edge_metric dialogs_created_total) -ge 10 ]]; }
waits() { grep -q 'until Ctrl-C' "$work/run.log"; }

amid_calls() {
	run
	wait_until 15 calls_go_on
	interrupt
	ended 130
}

kept_up() {
	run --keep
	wait_until 30 waits
	edge_ctl status
	[[ -e /run/netns/$run_net-access && -e /run/netns/$run_net-edge && -e /run/netns/$run_net-core ]]
	interrupt
	ended 130
}

pmd=none
check "scripts/run to its end: ladders, counters, nothing left behind" to_its_end
check "scripts/run, Ctrl-C amid the calls: nothing left behind" amid_calls
check "scripts/run --keep, then Ctrl-C: nothing left behind" kept_up
finish
