#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: af_packet
#
# Call detail records: as many as calls, whatever became of them; after SIGKILL, and on a disk that is full for a while.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

cdrs() { python3 "$e2e/tools/cdrs.py" "$@"; }
written() { [[ $(edge_metric cdrs_written_total) -eq $1 ]]; }
nothing_waits() { [[ $(edge_metric cdrs_waiting) -eq 0 ]]; }

# What workers finished is in a file, or counted as lost.
all_accounted() {
	edge_http /metrics >"$work/cdr"
	awk '$1 == "byepass_cdrs_finished_total" { finished = $2 }
		$1 ~ /^byepass_cdrs_(written|lost|repeated)_total$/ { sum += $2 }
		END { exit finished == 0 || finished != sum }' "$work/cdr"
}

one_each() {
	calls uac uas 50
	calls uac_cancel uas_cancel 20
	wait_until 3 written 70
	edge_stop
	[[ -z $(find "$work/cdr.d" -name '*.part') ]]
	cdrs "$work/cdr.d" dialog/bye/200=50 attempt/cancelled/487=20
}

# Calls that are up are cut, and so is their record; what was written is whole after the next start.
killed() {
	calls uac uas 30
	wait_until 3 written 30
	kill -KILL "$edge_pid"
	wait_until 5 gone "$edge_pid"
	printf '{"id":"torn' >>"$(find "$work/killed.d" -name '*.part')"
	edge_start "$pmd" "$work"
	grep -q 'event=cdr_torn' "$work/edge.log"
	cdrs "$work/killed.d" dialog/bye/200=30
}

# The disk is full after some records: the calls go through; when there is room again, so do the records.
full_disk() {
	calls uac uas 100
	wait_until 3 metric_is_positive cdr_disk_errors_total
	calls uac uas 100
	[[ $(edge_metric cdrs_lost_total) -gt 0 ]]
	mount -o remount,size=4m "$work/small.d"
	wait_until 5 all_accounted
	edge_stop
	cdrs "$work/small.d"
	[[ $(cdrs "$work/small.d" | grep -o '^[0-9]*') -eq $(metric cdrs_written_total <"$work/cdr") ]]
}

metric_is_positive() { [[ $(edge_metric "$1") -gt 0 ]]; }

mkdir "$work/cdr.d" "$work/killed.d" "$work/small.d"
BYP_CDR_CONFIG="{ folder: $work/cdr.d, fsync: batch }"
edge_start "$pmd" "$work"
check "one record for each call, answered or cancelled" one_each

BYP_CDR_CONFIG="{ folder: $work/killed.d, format: json, fsync: never }"
edge_start "$pmd" "$work"
check "SIGKILL leaves whole lines, a torn one is cut off at the next start" killed
edge_end

mount -t tmpfs -o size=16k tmpfs "$work/small.d"
at_exit umount -l "$work/small.d"
BYP_CDR_CONFIG="{ folder: $work/small.d, format: csv, queue: 50 }"
edge_start "$pmd" "$work"
check "a full disk loses records, counts them, and no call" full_disk
finish
