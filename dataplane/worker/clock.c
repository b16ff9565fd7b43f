/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calibration of the time stamp counter; control thread only. DPDK rounds the frequency that it
 * measures to 10 MHz, which may be seconds an hour: too much for wall-clock times in a trace.
 * So it is measured again, over the whole time that EAL takes to start.
 */
#include "worker/clock.h"

#include <rte_cycles.h>

#include <time.h>

#define LOOKS 8
#define SPAN_MIN_NS 20000000ull /* shorter than this, the clock's own error shows */

void
bp_clock_init(struct bp_clock *clock, uint64_t base_tsc, uint64_t hz)
{
	clock->base_tsc = base_tsc;
	clock->hz = hz;
	clock->mult = (uint64_t)(((bp_uint128)1000000 << 64) / hz) +
		      1; /* rounded up: whole microseconds come out whole */
}

void
bp_clock_look(struct bp_clock_sample *sample)
{
	uint64_t narrowest = UINT64_MAX;

	for (unsigned i = 0; i < LOOKS; i++) {
		struct timespec raw, real;
		uint64_t before = rte_rdtsc_precise();
		uint64_t after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
		clock_gettime(CLOCK_REALTIME, &real);
		after = rte_rdtsc_precise();
		if (after - before >= narrowest)
			continue;
		narrowest = after - before;
		sample->tsc = before + narrowest / 2;
		sample->monotonic_ns = (uint64_t)raw.tv_sec * 1000000000ull + (uint64_t)raw.tv_nsec;
		sample->realtime_us = (uint64_t)real.tv_sec * 1000000ull + (uint64_t)real.tv_nsec / 1000;
	}
}

uint64_t
bp_clock_frequency(const struct bp_clock_sample *from, const struct bp_clock_sample *to, uint64_t nominal_hz)
{
	uint64_t ns = to->monotonic_ns - from->monotonic_ns;
	uint64_t ticks = to->tsc - from->tsc;
	uint64_t hz;

	if (to->monotonic_ns <= from->monotonic_ns || ns < SPAN_MIN_NS || to->tsc <= from->tsc)
		return nominal_hz;
	hz = (uint64_t)((bp_uint128)ticks * 1000000000u / ns);
	if (hz < nominal_hz - nominal_hz / 50 || hz > nominal_hz + nominal_hz / 50)
		return nominal_hz;
	return hz;
}
