#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: none
#
# A configuration with an error starts nothing: exit status 1, the file and the line named, no device made.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

# refused FILE TEXT: exit status 1, the text in the message, nothing made.
refused() {
	local file=$1 text=$2 status=0
	edge_net timeout 20 "$edge_binaries/byepass" --config "$file" >"$work/out" 2>"$work/err" </dev/null || status=$?
	cat "$work/err"
	[[ $status -eq 1 ]] || {
		echo "exit status $status, expected 1"
		return 1
	}
	grep -qF "$text" "$work/err" || {
		echo "the message does not name $text"
		return 1
	}
	[[ -z $(ip -n "$net-edge" -o link show | grep -v ' lo:') ]] || {
		echo "a device was made"
		return 1
	}
}

all_refused() {
	local file count=0
	for file in "$BYP_TOP"/tests/config/bad/*.yaml; do
		refused "$file" "$file"
		count=$((count + 1))
	done
	echo "$count files"
	[[ $count -ge 20 ]]
}

# with_socket PATH: a good configuration but for its socket.
with_socket() {
	edge_config tap | sed "s|$edge_dir/control.sock|$1|" >"$work/socket.yaml"
	refused "$work/socket.yaml" "$1"
}

# Somebody who answers at a path, as another edge would.
taken_socket() {
	spawn "$work/listener.log" python3 -c 'import socket, sys, time
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(8)
time.sleep(60)' "$work/taken.sock"
	at_exit end_child "$spawned"
	wait_until 5 test -S "$work/taken.sock"
	with_socket "$work/taken.sock"
	[[ -S $work/taken.sock ]]
}

file_in_the_way() {
	echo precious >"$work/file"
	with_socket "$work/file"
	[[ $(<"$work/file") == precious ]]
}

good_is_good() {
	edge_config tap >"$work/good.yaml"
	"$edge_binaries/byepass" --check --config "$work/good.yaml"
}

pmd=none
edge_dir=$work
network_up tap
check "every bad configuration is refused by the daemon itself" all_refused
check "a socket in a folder that is not there is refused" with_socket "$work/no/such/folder/control.sock"
check "a socket that another edge serves is refused, and left alone" taken_socket
check "a file where the socket should be is refused, and left alone" file_in_the_way
check "byepass --check is content with the configuration of these tests" good_is_good
finish
