#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: none
#
# A configuration with an error starts nothing: exit status 1, the file and the line named, no device made.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

refused() {
	local file=$1 status=0
	edge_net "$edge_binaries/byepass" --config "$file" >"$work/out" 2>"$work/err" </dev/null || status=$?
	cat "$work/err"
	[[ $status -eq 1 ]] || {
		echo "exit status $status, expected 1"
		return 1
	}
	grep -qF "$file" "$work/err" || {
		echo "the message does not name the file"
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
		refused "$file"
		count=$((count + 1))
	done
	echo "$count files"
	[[ $count -ge 20 ]]
}

taken_socket() {
	edge_dir=$work
	edge_config tap | sed 's|control.sock|no/such/folder/control.sock|' >"$work/nowhere.yaml"
	edge_net timeout 20 "$edge_binaries/byepass" --config "$work/nowhere.yaml" </dev/null
}

good_is_good() {
	edge_dir=$work
	edge_config tap >"$work/good.yaml"
	"$edge_binaries/byepass" --check --config "$work/good.yaml"
}

pmd=none
network_up tap
check "every bad configuration is refused by the daemon itself" all_refused
check "byepass --check is content with the configuration of these tests" good_is_good
finish
