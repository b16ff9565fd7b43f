/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trace: each SIP message that passes becomes an event for control, enough for a line of a ladder diagram.
 * A ring per worker, never waited for. Its messages are parsed for this once more: tracing costs what it
 * costs, and is off by default (trace.messages).
 */
#ifndef BYEPASS_WORKER_TRACE_H
#define BYEPASS_WORKER_TRACE_H

#include "byepass/events.h"
#include "sip/message.h"

#define BP_TRACE_RING_SIZE 4096 /* events of one worker between two visits of control, less one */

struct rte_ring;

struct bp_trace {
	struct rte_ring *ring;
	struct bp_counters *counters; /* of the worker */
	uint8_t worker;
	struct bp_sip_message message; /* too large for a stack */
};

/* @ring_size: a power of two. 0 or -ENOMEM. Needs no EAL. Control only, as bp_trace_free (NULL is legal). */
int bp_trace_create(struct bp_trace **out, unsigned worker, unsigned ring_size, struct bp_counters *counters);
void bp_trace_free(struct bp_trace *trace);

/* Makes an event of a message and puts it in the ring; full: counted as trace_ring_full. A datagram without a
 * message (a keepalive) leaves no event. @time_us: of the worker's clock. Thread: the worker. */
void bp_trace_message(struct bp_trace *trace, enum bp_direction direction, const struct bp_flow *flow,
	const uint8_t *bytes, uint32_t size, uint64_t time_us);

/* The event's fields that come out of a parsed message, well-formed or not. Control characters become '.'.
 * @size: bytes of the datagram from message->bytes on. */
void bp_trace_fill(struct bp_event_message *event, const struct bp_sip_message *message, uint32_t size);

/* Takes up to @max events, oldest first. Their time is still the worker's clock. Thread: one reader. */
unsigned bp_trace_take(struct bp_trace *trace, struct bp_event_message *events, unsigned max);

#endif
