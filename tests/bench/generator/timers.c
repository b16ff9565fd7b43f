/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FIFOs of calls, doubly linked through the slots. See timers.h.
 */
#include "generator/timers.h"

static void
add_duration(struct timers *timers, uint32_t duration)
{
	unsigned at = 0;

	if (duration == 0 || timers->count == TIMERS_FIFOS_MAX)
		return;
	while (at < timers->count && timers->fifos[at].duration > duration)
		at++;
	if (at < timers->count && timers->fifos[at].duration == duration)
		return;
	memmove(&timers->fifos[at + 1], &timers->fifos[at], (timers->count - at) * sizeof(timers->fifos[0]));
	timers->fifos[at].duration = duration;
	timers->fifos[at].head = timers->fifos[at].tail = TIMERS_END;
	timers->count++;
}

void
timers_begin(struct timers *timers, struct call *calls, double tsc_hz, const double *durations, unsigned count)
{
	double tick_hz = tsc_hz / (1 << TIMERS_TICK_BITS);

	memset(timers, 0, sizeof(*timers));
	timers->calls = calls;
	for (unsigned ms = 1; ms <= 1u << 18; ms *= 2)
		add_duration(timers, (uint32_t)(ms / 1e3 * tick_hz) + 1);
	for (unsigned i = 0; i < count; i++)
		add_duration(timers, (uint32_t)(durations[i] * tick_hz));
}

/* The longest duration that is not too long; the shortest one when all are. */
static unsigned
choose(const struct timers *timers, uint32_t wait)
{
	for (unsigned i = 0; i + 1 < timers->count; i++) {
		if (timers->fifos[i].duration <= wait)
			return i;
	}
	return timers->count - 1;
}

void
timers_insert(struct timers *timers, struct call *call, uint32_t now, uint32_t due)
{
	uint32_t wait = (int32_t)(due - now) > 0 ? due - now : 0, index = (uint32_t)(call - timers->calls);
	unsigned fifo = choose(timers, wait);
	uint32_t tail = timers->fifos[fifo].tail;

	call->timed = now + timers->fifos[fifo].duration;
	call->fifo = (uint8_t)fifo;
	call->flags |= CALL_TIMED;
	call->next = TIMERS_END;
	call->previous = tail;
	if (tail == TIMERS_END)
		timers->fifos[fifo].head = index;
	else
		timers->calls[tail].next = index;
	timers->fifos[fifo].tail = index;
	if (!timers->any || (int32_t)(call->timed - timers->next) < 0)
		timers->next = call->timed;
	timers->any = true;
}

void
timers_remove(struct timers *timers, struct call *call)
{
	unsigned fifo = call->fifo;

	if (call->previous == TIMERS_END)
		timers->fifos[fifo].head = call->next;
	else
		timers->calls[call->previous].next = call->next;
	if (call->next == TIMERS_END)
		timers->fifos[fifo].tail = call->previous;
	else
		timers->calls[call->next].previous = call->previous;
	call->flags &= (uint8_t)~CALL_TIMED;
}

struct call *
timers_pop(struct timers *timers, uint32_t now)
{
	uint32_t next = 0;
	bool any = false;

	if (!timers_due(timers, now))
		return NULL;
	for (unsigned i = 0; i < timers->count; i++) {
		struct call *call;

		if (timers->fifos[i].head == TIMERS_END)
			continue;
		call = &timers->calls[timers->fifos[i].head];
		if ((int32_t)(now - call->timed) >= 0) {
			timers_remove(timers, call);
			if (call->next != TIMERS_END)
				__builtin_prefetch(&timers->calls[call->next], 1);
			return call;
		}
		if (!any || (int32_t)(call->timed - next) < 0)
			next = call->timed;
		any = true;
	}
	timers->next = next;
	timers->any = any;
	return NULL;
}
