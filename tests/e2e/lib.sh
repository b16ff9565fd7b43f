# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What the end-to-end tests share. A test is a script of its own: PMD=af_xdp tests/e2e/calls_test.sh
#
#   PMD=tap|af_packet|af_xdp   the virtual device (default tap)
#   BYP_BUILD=DIR              the build to test (default build/)
#   BYP_NET=NAME               prefix of the namespaces, for a second run beside another (default byptest)
#   INTERACTIVE=1              stop after a failure and before the end, with everything still up
#   GDB=1                      gdb is attached to the edge: a crash shows the backtraces of all threads
#
# For each check one line is printed, and appended to the file $E2E_RESULTS when that is set.

# shellcheck source=../../scripts/lib/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=../../scripts/lib/network.sh
source "$BYP_TOP/scripts/lib/network.sh"
# shellcheck source=../../scripts/lib/edge.sh
source "$BYP_TOP/scripts/lib/edge.sh"

# shellcheck source=../../scripts/lib/calls.sh
source "$BYP_TOP/scripts/lib/calls.sh"

net=${BYP_NET:-byptest}
pmd=${PMD:-tap}
e2e=$BYP_TOP/tests/e2e
# The longest that a record lives is 64*T1: 3.2 s. SIPp keeps its own 500 ms. T4 is nearly as long: on a loaded machine
# what was sent twice may come late, and must still find its record.
short_timers='{ t1: 50ms, t2: 200ms, t4: 3s, c: 5s }'
BYP_TIMERS=$short_timers
failures=0

need_root
only_one "$net"
rm -rf "/tmp/$net-e2e".* # of a run that was killed
work=$(mktemp -d "/tmp/$net-e2e.XXXXXX")
at_exit rm -rf "$work"
calls_dir=$work

pause_here() {
	[[ -n ${INTERACTIVE:-} && -e /dev/tty ]] || return 0
	printf '\n%s\nNamespaces: %s-access, %s-edge, %s-core. Files: %s. Enter goes on.\n' \
		"$1" "$net" "$net" "$net" "$work" >/dev/tty
	read -r </dev/tty
}

# check NAME COMMAND...: one test. It fails when any command in it does.
check() {
	local name=$1 begin=$EPOCHREALTIME status=0 line verdict
	shift
	set +e
	(
		set -e
		exit_commands=()
		trap run_exit_commands EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM
		"$@"
	) >"$work/check.log" 2>&1
	status=$?
	set -e
	[[ $status -ne 130 && $status -ne 143 ]] || exit "$status"
	line=$(printf '%-9s  %-64s %5s s' "$pmd" "$name" "$(seconds_since "$begin")")
	verdict=ok
	if [[ $status -ne 0 ]]; then
		verdict=FAILED
		failures=$((failures + 1))
	fi
	if [[ $verdict == ok ]]; then
		printf '  %sok%s      %s\n' "$green" "$plain" "$line"
	else
		printf '  %sFAILED%s  %s\n' "$red" "$plain" "$line"
		explain
		pause_here "\"$name\" failed."
	fi
	[[ -z ${E2E_RESULTS:-} ]] || printf '%s\t%s\t%s\n' "$verdict" "$pmd" "$name" >>"$E2E_RESULTS"
}

# skipped NAME: REASON: a test that cannot be here. Counted as neither, but by name.
skipped() {
	printf '  %sskipped%s %-9s  %s\n' "$yellow" "$plain" "$pmd" "$1"
	[[ -z ${E2E_RESULTS:-} ]] || printf 'skipped\t%s\t%s\n' "$pmd" "$1" >>"$E2E_RESULTS"
}

# The first calls that SIPp complains of, as the edge saw them.
explain_calls() {
	local call
	for call in $(grep -ahoE "Call-I[dD] '[^']+'" "$work"/*.errors 2>/dev/null | cut -d "'" -f 2 | sort -u | head -n 3); do
		printf -- '---- %s\n' "$call"
		edge_ctl ladder "$call" 2>&1 | head -n 60 || true
	done
}

# What is needed to understand a failure: what the check said, what SIPp saw, the counters, the last messages.
explain() {
	printf -- '---- output\n'
	tail -n 60 "$work/check.log" | cut -c 1-300
	printf -- '---- the edge\n'
	tail -n 20 "$edge_dir/edge.log" 2>/dev/null || true
	[[ ! -s $edge_dir/edge.gdb ]] || tail -n 300 "$edge_dir/edge.gdb"
	if [[ -n $edge_pid ]] && alive "$edge_pid"; then
		edge_http /metrics 2>/dev/null | grep -vE '^#| 0$' | head -n 80 || true
		explain_calls
		printf -- '---- last messages\n'
		edge_ctl trace 2>/dev/null | tail -n 40 || true
	else
		echo "the edge is not running"
	fi
	printf -- '----\n'
}

# calls CALLER CALLEE COUNT [WHOM [OPTION...]]: both sides content, nothing left behind, nothing dropped: between
# SIP programs that keep to the RFC there is no message to drop, but for the reason in $may_drop, when that is set.
may_drop=
calls() {
	local expected=0
	remember
	place_calls "$@"
	edge_at_rest
	[[ -z $may_drop ]] || expected=$(grown drops_total "reason=\"$may_drop\"")
	counted "$expected" messages_total 'disposition="dropped"'
}

finish() {
	pause_here "All checks are done."
	[[ $failures -eq 0 ]]
	exit
}

# ---- counters

remember() { edge_http /metrics >"$work/before"; }

# grown NAME [LABEL]: how much a counter grew since `remember`.
grown() {
	local before after
	before=$(metric "$@" <"$work/before") || true
	after=$(edge_metric "$@") || true
	echo $((after - before))
}

# counted CHANGE NAME [LABEL]: it grew by exactly CHANGE.
counted() {
	local change
	change=$(grown "${@:2}")
	[[ $change -eq $1 ]] || {
		echo "byepass_$2 ${3:-} grew by $change, expected $1"
		edge_http /metrics | grep '^byepass_drops_total' | grep -v ' 0$' || true
		return 1
	}
}
