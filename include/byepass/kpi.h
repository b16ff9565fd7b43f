/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What RFC 6076 measures, for each trunk that INVITEs are sent to. One writer, as bp_counters: each worker has an
 * array of its own, one row a trunk of the snapshot that the edge was started with.
 */
#ifndef BYEPASS_KPI_H
#define BYEPASS_KPI_H

#include <stdint.h>

/* clang-format off */
/* X(name, metric, labels, text). Names in _us are sums of microseconds. */
#define BP_KPIS(X) \
	X(attempts, "session_requests_total", "", "INVITEs outside a dialog that were sent to the trunk.") \
	X(answered, "sessions_answered_total", "", "Of them, answered with a 2xx.") \
	X(redirected, "session_failures_total", "class=\"redirected\"", "Of them, without a session, by what RFC 6076 makes of the final response.") \
	X(challenged, "session_failures_total", "class=\"challenged\"", "") \
	X(user, "session_failures_total", "class=\"user\"", "") \
	X(ineffective, "session_failures_total", "class=\"ineffective\"", "") \
	X(other, "session_failures_total", "class=\"other\"", "") \
	X(srd_good, "srd_seconds_count", "result=\"successful\"", "Session Request Delay (RFC 6076 4.3): from the INVITE to the first 18x, or 2xx; failed: to the final response.") \
	X(srd_failed, "srd_seconds_count", "result=\"failed\"", "") \
	X(srd_good_us, "srd_seconds_sum", "result=\"successful\"", "") \
	X(srd_failed_us, "srd_seconds_sum", "result=\"failed\"", "") \
	X(sdd_good, "sdd_seconds_count", "result=\"successful\"", "Session Disconnect Delay (RFC 6076 4.4): from the BYE to its final response; failed: until none came in time.") \
	X(sdd_failed, "sdd_seconds_count", "result=\"failed\"", "") \
	X(sdd_good_us, "sdd_seconds_sum", "result=\"successful\"", "") \
	X(sdd_failed_us, "sdd_seconds_sum", "result=\"failed\"", "") \
	X(sdt, "sdt_seconds_count", "", "Session Duration Time (RFC 6076 4.5): from the 2xx to the BYE.") \
	X(sdt_us, "sdt_seconds_sum", "", "")
/* clang-format on */

/* worker: w, control: r */
struct bp_kpi {
#define X(name, metric, labels, text) uint64_t name;
	BP_KPIS(X)
#undef X
} __attribute__((aligned(64)));

#endif
