#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# e2e: tap af_packet
#
# Two workers, each with a queue of its own on both ports. Callers of many ports are spread over both; the callee is one
# flow, which the kernel moves to the queue that last sent to it: of a 180 and a 200 sent back to back each may come to
# another worker, and the 200 be handled first. The 180 is then dropped (RFC 6026 7.2), and nothing else is.
# Then one worker that never sleeps.

# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

# Each of the two received frames that carried messages since `remember`.
both_worked() {
	local worker
	for worker in 0 1; do
		edge_metric frames_delivered_total "worker=\"$worker\"" >"$work/now"
		echo "worker $worker: $(<"$work/now") frames delivered"
		[[ $(<"$work/now") -ge $(($(metric frames_delivered_total "worker=\"$worker\"" <"$work/before") + 20)) ]]
	done
}

answered() {
	calls uac uas 100 bob -t un
	counted 100 dialogs_created_total
	counted 100 dialogs_ended_total 'reason="bye"'
	both_worked
}

cancelled() {
	calls uac_cancel uas_cancel 100 bob -t un
	counted 100 cancel_outcomes_total 'outcome="matched"'
	counted 0 dialogs_created_total
	both_worked
}

no_route_set() {
	calls builtin-uac builtin-uas 50 service -t un
	counted 50 dialogs_ended_total 'reason="bye"'
	both_worked
}

workers() { [[ $(edge_http /metrics | grep -c '^byepass_worker_loops_total{') -eq $1 ]]; }

if [[ $(nproc) -gt 1 ]]; then
	BYP_CPUS='0, 1'
	may_drop=response_unexpected
	edge_start "$pmd" "$work"
	check "two workers" workers 2
	check "100 calls over two workers, ended by BYE" answered
	check "100 calls over two workers, cancelled after 180" cancelled
	check "50 calls over two workers, BYE without a route set" no_route_set
	check "two workers stop at SIGTERM with status 0" edge_stop
	BYP_CPUS=1 BYP_POLL=busy
	may_drop=
	edge_start "$pmd" "$work"
	check "100 calls over a worker that never sleeps" calls uac uas 100
	check "100 calls over a worker that never sleeps, cancelled" calls uac_cancel uas_cancel 100
	check "the worker that never sleeps stops at SIGTERM with status 0" edge_stop
else
	skipped "two workers, and one that never sleeps: there is only one CPU"
fi
finish
