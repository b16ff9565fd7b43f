/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What RFC 6076 measures, for each trunk that INVITEs are sent to. One writer, as bp_counters: each worker has an
 * array of its own, one row a trunk of the snapshot that the edge was started with.
 */
#ifndef BYEPASS_KPI_H
#define BYEPASS_KPI_H

#include <stdint.h>

/* clang-format off */
/* X(name, metric without its prefix, labels). Names in _us are sums of microseconds. */
#define BP_KPIS(X) \
	X(attempts, "session_requests_total", "") \
	X(answered, "sessions_answered_total", "") \
	X(redirected, "session_failures_total", "class=\"redirected\"") \
	X(challenged, "session_failures_total", "class=\"challenged\"") \
	X(user, "session_failures_total", "class=\"user\"") \
	X(ineffective, "session_failures_total", "class=\"ineffective\"") \
	X(other, "session_failures_total", "class=\"other\"") \
	X(srd_good, "srd_seconds_count", "result=\"successful\"") \
	X(srd_failed, "srd_seconds_count", "result=\"failed\"") \
	X(srd_good_us, "srd_seconds_sum", "result=\"successful\"") \
	X(srd_failed_us, "srd_seconds_sum", "result=\"failed\"") \
	X(sdd_good, "sdd_seconds_count", "result=\"successful\"") \
	X(sdd_failed, "sdd_seconds_count", "result=\"failed\"") \
	X(sdd_good_us, "sdd_seconds_sum", "result=\"successful\"") \
	X(sdd_failed_us, "sdd_seconds_sum", "result=\"failed\"") \
	X(sdt, "sdt_seconds_count", "") \
	X(sdt_us, "sdt_seconds_sum", "")
/* clang-format on */

/* worker: w, control: r */
struct bp_kpi {
#define X(name, metric, labels) uint64_t name;
	BP_KPIS(X)
#undef X
} __attribute__((aligned(64)));

#endif
