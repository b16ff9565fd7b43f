/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Control's side of tracing: making the ring, emptying it.
 */
#include "worker/trace.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <errno.h>
#include <stdlib.h>

static_assert(sizeof(struct bp_event_message) % 4 == 0, "an element of an rte_ring");

int
bp_trace_create(struct bp_trace **out, unsigned worker, unsigned ring_size, struct bp_counters *counters)
{
	ssize_t size = rte_ring_get_memsize_elem(sizeof(struct bp_event_message), ring_size);
	struct bp_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return -ENOMEM;
	trace->counters = counters;
	trace->worker = (uint8_t)worker;
	trace->ring = size > 0 ? aligned_alloc(RTE_CACHE_LINE_SIZE, (size_t)size) : NULL;
	if (!trace->ring || rte_ring_init(trace->ring, "trace", ring_size, RING_F_SP_ENQ | RING_F_SC_DEQ)) {
		bp_trace_free(trace);
		return -ENOMEM;
	}
	*out = trace;
	return 0;
}

void
bp_trace_free(struct bp_trace *trace)
{
	if (!trace)
		return;
	free(trace->ring);
	free(trace);
}

unsigned
bp_trace_take(struct bp_trace *trace, struct bp_event_message *events, unsigned max)
{
	return rte_ring_sc_dequeue_burst_elem(trace->ring, events, sizeof(*events), max, NULL);
}
