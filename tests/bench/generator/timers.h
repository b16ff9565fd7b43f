/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers: a call is in at most one FIFO, one FIFO per duration. It holds more than one deadline itself; its entry is
 * for the earliest, or earlier than that: then it goes on by the longest duration that fits. An entry stays
 * where it is when its call ends before, and serves the slot's next call. Ticks are 2^16 TSC cycles.
 */
#ifndef BYEPASS_BENCH_TIMERS_H
#define BYEPASS_BENCH_TIMERS_H

#include "generator/call.h"

#define TIMERS_TICK_BITS 16
#define TIMERS_FIFOS_MAX 48
#define TIMERS_END UINT32_MAX

struct timers {
	struct call *calls;
	unsigned count;
	uint32_t next; /* no entry is due before that tick; may be too early */
	bool any;      /* there is an entry */
	struct {
		uint32_t duration, head, tail;
	} fifos[TIMERS_FIFOS_MAX]; /* the longest first */
};

static inline uint32_t
timers_tick(uint64_t tsc)
{
	return (uint32_t)(tsc >> TIMERS_TICK_BITS);
}

/* @durations: in seconds; those that will be asked for most. 1, 2, 4 ... ms are added. */
void timers_begin(struct timers *timers, struct call *calls, double tsc_hz, const double *durations, unsigned count);

void timers_insert(struct timers *timers, struct call *call, uint32_t now, uint32_t due);
void timers_remove(struct timers *timers, struct call *call);

/* Sees to it that the call comes up at @due or before. */
static inline void
timers_arm(struct timers *timers, struct call *call, uint32_t now, uint32_t due)
{
	if (call->flags & CALL_TIMED) {
		if ((int32_t)(call->timed - due) <= 0)
			return;
		timers_remove(timers, call);
	}
	timers_insert(timers, call, now, due);
}

/* The next call that came up, out of its FIFO, or NULL. */
struct call *timers_pop(struct timers *timers, uint32_t now);

static inline bool
timers_due(const struct timers *timers, uint32_t now)
{
	return timers->any && (int32_t)(now - timers->next) >= 0;
}

#endif
