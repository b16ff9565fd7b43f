# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Calls by SIPp: a callee in the core namespace, a caller in access. Logs are kept in $calls_dir.

calls_dir=''
scenarios=$BYP_TOP/tests/e2e/sipp
sipp_options=(-nostdin -skip_rlimit -trace_err -trace_msg -timeout 60s -timeout_error)

# scenario NAME: its options; "builtin-uac" and "builtin-uas" are those that come with SIPp.
scenario() {
	case $1 in
	builtin-*) printf '%s\n' -sn "${1#builtin-}" ;;
	*) printf '%s\n' -sf "$scenarios/$1.xml" ;;
	esac
}

# sipp_spawn ROLE NAMESPACE SCENARIO OPTION...: SIPp in the background, its pid in $spawned.
sipp_spawn() {
	local role=$1 options
	mapfile -t options < <(scenario "$3")
	spawn "$calls_dir/$role.log" ip netns exec "$2" sipp "${options[@]}" "${sipp_options[@]}" \
		-error_file "$calls_dir/$role.errors" -message_file "$calls_dir/$role.messages" "${@:4}"
	at_exit end_child "$spawned"
}

# sipp_result ROLE PID SECONDS: waits for its end. True if all its calls went as its scenario says.
sipp_result() {
	local status=0
	wait_until "$3" gone "$2" || status=124
	end_child "$2"
	[[ $status -ne 0 ]] || wait "$2" || status=$?
	[[ $status -eq 0 ]] || sipp_explain "$1" "$status"
	return "$status"
}

sipp_explain() {
	echo "the $1 ended with status $2; its steps:"
	grep -aE '^ +.*(---|\[.*\]|Messages)|(Successful|Failed) call' "$calls_dir/$1.log" | tail -n 24 || true
	echo "its errors:"
	head -c 3000 "$calls_dir/$1.errors" 2>/dev/null || true
}

listening() { core ss -Hlun "sport = :5060" | grep -qF "$1"; }

# callee SCENARIO CALLS ADDRESS [OPTION...]: in the background, its pid in $callee_pid.
callee() {
	sipp_spawn callee "$net-core" "$1" -i "$3" -p 5060 -m "$2" "${@:4}"
	callee_pid=$spawned
	wait_until 5 listening "$3" || {
		tail "$calls_dir/callee.log"
		return 1
	}
}

# callee_done [SECONDS]: waits for the callee. True if it is content, too.
callee_done() { sipp_result callee "$callee_pid" "${1:-10}"; }

# caller SCENARIO CALLS ADDRESS EDGE WHOM [OPTION...]: until all calls are over.
caller() {
	sipp_spawn caller "$net-access" "$1" -i "$3" -p 5060 -m "$2" -s "$5" -d 20 -r 100 "${@:6}" "$4:5060"
	sipp_result caller "$spawned" 65
}

# place_calls CALLER CALLEE COUNT [WHOM [OPTION...]]: COUNT calls to bob, bob6 or kamailio, both sides content.
place_calls() {
	local whom=${4:-bob} here=192.0.2.2 edge=192.0.2.1 there=10.0.0.2
	case $whom in
	bob6) here=2001:db8:1::2 edge='[2001:db8:1::1]' there=2001:db8:2::2 ;;
	kamailio) there=10.0.0.4 ;;
	esac
	callee "$2" "$3" "$there" || return 1
	if caller "$1" "$3" "$here" "$edge" "$whom" "${@:5}"; then
		callee_done
	else
		callee_done 1 || true # what it saw
		return 1
	fi
}
