# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What every script of this project starts with: strict mode, colours, messages, a stack of
# clean-up commands that runs on every way out, and children that are ended by their pid.

set -euo pipefail

BYP_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export BYP_TOP

if [[ (-t 1 || -n ${BYP_COLOUR:-}) && -z ${NO_COLOR:-} ]]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
	bold='' dim='' red='' green='' yellow='' plain=''
fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '  %s\n' "$*"; }
warn() { printf '%s%s: %s%s\n' "$yellow" "${0##*/}" "$*" "$plain" >&2; }

die() {
	printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
	exit 1
}

# The comment at the top of the script, for --help.
usage() { awk 'NR > 3 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

need_root() {
	[[ $(id -u) -eq 0 ]] || die "needs root: it installs packages and makes network namespaces. Try: sudo $0"
}

# Seconds with one decimal since $1, a value of $EPOCHREALTIME.
seconds_since() {
	local now=$EPOCHREALTIME
	local tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
	printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# at_exit COMMAND [ARGUMENT...]: runs on every exit, last in first out.
exit_commands=()
at_exit() { exit_commands+=("$(printf '%q ' "$@")"); }

run_exit_commands() {
	local status=$? i
	trap - EXIT
	trap '' INT TERM HUP # clean up to the end, whatever key is pressed
	set +e
	for ((i = ${#exit_commands[@]} - 1; i >= 0; i--)); do
		eval "${exit_commands[i]}"
	done
	exit "$status"
}
trap run_exit_commands EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# quietly TITLE COMMAND...: shows the command's output only when it fails.
quietly() {
	local what=$1 log status=0
	shift
	log=$(mktemp)
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [[ $status -ne 0 ]]; then
		printf '%s%s failed (exit %d): %s%s\n' "$red" "$what" "$status" "$*" "$plain" >&2
		tail -n 200 "$log" >&2
	fi
	rm -f "$log"
	return "$status"
}

# wait_until SECONDS COMMAND...: true as soon as the command is.
wait_until() {
	local limit=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[[ $SECONDS -lt $limit ]] || return 1
		sleep 0.05
	done
}

alive() { kill -0 "$1" 2>/dev/null; }
gone() { ! alive "$1"; }

# spawn LOG COMMAND...: a child in the background, its pid in $spawned. The command itself, no shell in between; in a
# session of its own, so that Ctrl-C reaches only this script; without the lock of only_one, which it must not outlive.
spawn() {
	local log=$1
	shift
	(exec setsid "$@" 9>&-) >"$log" 2>&1 </dev/null &
	spawned=$!
}

# end_child PID [SECONDS]: TERM, then KILL. For children of this shell only.
end_child() {
	local pid=$1
	kill -TERM "$pid" 2>/dev/null || return 0
	wait_until "${2:-3}" gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# only_one NAME: waits until no other script holds the lock of that name, then holds it until exit. The file goes with
# the holder; who waited for one that is gone by then takes the next.
only_one() {
	local file=/run/byepass-$1.lock
	until [[ $file -ef /proc/self/fd/9 ]]; do
		exec 9>"$file"
		flock -n 9 || {
			say "another run holds the network '$1'; waiting for it to finish"
			flock 9
		}
	done
	at_exit rm -f "$file"
}
