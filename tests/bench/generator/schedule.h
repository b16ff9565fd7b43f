/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When calls begin: at a constant rate, at times that do not depend on what became of the calls before. Who is late
 * begins them with the time that was intended, so that waiting is never left out of a latency.
 */
#ifndef BYEPASS_BENCH_SCHEDULE_H
#define BYEPASS_BENCH_SCHEDULE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

struct schedule {
	uint64_t next;     /* TSC */
	uint32_t fraction; /* of a cycle, 2^-32 */
	uint64_t interval; /* cycles between two calls; 0: none is due */
	uint32_t interval_fraction;
	bool closed; /* by the window instead */
	double rate;
};

static inline void
schedule_set(struct schedule *schedule, double rate, double tsc_hz, uint64_t now)
{
	double interval = rate > 0 && !isinf(rate) ? tsc_hz / rate : 0;

	schedule->rate = rate;
	schedule->closed = isinf(rate);
	schedule->interval = (uint64_t)interval;
	schedule->interval_fraction = (uint32_t)((interval - floor(interval)) * 4294967296.0);
	schedule->next = now;
	schedule->fraction = 0;
}

/* Whether a call is due; then *intended is its time, and the next one's follows. */
static inline bool
schedule_due(struct schedule *schedule, uint64_t now, uint64_t *intended)
{
	uint64_t fraction;

	if ((schedule->interval | schedule->interval_fraction) == 0 || schedule->next > now)
		return false;
	*intended = schedule->next;
	fraction = (uint64_t)schedule->fraction + schedule->interval_fraction;
	schedule->next += schedule->interval + (fraction >> 32);
	schedule->fraction = (uint32_t)fraction;
	return true;
}

#endif
