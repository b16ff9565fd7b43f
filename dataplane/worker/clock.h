/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Time on a worker: the time stamp counter as monotonic microseconds, without a division and
 * without a system call. Calibrated once, while the data path starts.
 */
#ifndef BYEPASS_WORKER_CLOCK_H
#define BYEPASS_WORKER_CLOCK_H

#include <stdint.h>

__extension__ typedef unsigned __int128 bp_uint128; /* a product of two 64-bit numbers */

/* One look at counter and clocks at the same moment. */
struct bp_clock_sample {
	uint64_t tsc;
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC_RAW: no slewing, as the counter */
	uint64_t realtime_us;  /* CLOCK_REALTIME */
};

struct bp_clock {
	uint64_t base_tsc; /* where the microseconds count from */
	uint64_t mult;     /* microseconds per tick, times 2^64 */
	uint64_t hz;
};

/* @hz: ticks per second, more than a million. */
void bp_clock_init(struct bp_clock *clock, uint64_t base_tsc, uint64_t hz);

/* Reads the counter and the clocks; the narrowest of a few tries, so being preempted between them does no
 * harm. Control only: makes system calls where the vDSO cannot help. */
void bp_clock_look(struct bp_clock_sample *sample);

/* Ticks per second between two looks. @nominal_hz, what DPDK believes, is returned when the looks lie too
 * close together or disagree with it by more than 2% (a suspended machine). */
uint64_t bp_clock_frequency(
	const struct bp_clock_sample *from, const struct bp_clock_sample *to, uint64_t nominal_hz);

/* Microseconds since base_tsc. Exact to one microsecond over 2^63 ticks: the factor's error is at most 2^-64
 * microseconds a tick, so it cannot drift. A counter slightly before base_tsc, as read on another CPU, is 0.
 */
static inline uint64_t
bp_clock_us(const struct bp_clock *clock, uint64_t tsc)
{
	int64_t ticks = (int64_t)(tsc - clock->base_tsc);

	if (__builtin_expect(ticks < 0, 0))
		return 0;
	return (uint64_t)(((bp_uint128)(uint64_t)ticks * clock->mult) >> 64);
}

#endif
