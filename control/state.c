/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small questions about the shared state, see state.h.
 */
#include "state.h"

#include <time.h>

static uint64_t
now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
bp_now_monotonic_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

uint64_t
bp_now_utc_us(void)
{
	return now_us(CLOCK_REALTIME);
}

void
bp_counters_copy(const struct bp_counters *from, struct bp_counters *to)
{
	static_assert(sizeof(*from) % sizeof(uint64_t) == 0, "counters are 64-bit words and nothing else");
	const uint64_t *source = (const uint64_t *)from;
	uint64_t *target = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*from) / sizeof(uint64_t); i++)
		target[i] = bp_count_read(&source[i]);
}

/* A record may be counted as ended before its making is seen: never below zero. */
static uint64_t
less(uint64_t made, uint64_t ended)
{
	return made > ended ? made - ended : 0;
}

void
bp_live_of(const struct bp_counters *sum, struct bp_live *live)
{
	uint64_t ended = 0;

	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		live->transactions[i] = less(sum->transactions_created[i], sum->transactions_ended[i]);
	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		ended += sum->dialogs_ended[i];
	live->dialogs = less(sum->dialogs_created, ended);
	live->calls = less(sum->calls_reserved, sum->calls_released);
	live->kept = less(sum->kept_taken, sum->kept_returned);
}

bool
bp_control_alive(const struct bp_control *control)
{
	return bp_now_monotonic_us() - atomic_load(&control->alive_us) <= BP_ALIVE_US;
}
