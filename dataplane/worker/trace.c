/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The worker's side of tracing.
 */
#include "worker/trace.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

/* Copies what fits, with its NUL. What a terminal would act on is made harmless here, once for all readers.
 */
static void
copy_text(char *to, size_t to_size, const uint8_t *from, size_t size)
{
	if (size >= to_size)
		size = to_size - 1;
	for (size_t i = 0; i < size; i++)
		to[i] = from[i] < 0x20 || from[i] == 0x7f ? '.' : (char)from[i];
	to[size] = '\0';
}

void
bp_trace_fill(struct bp_event_message *event, const struct bp_sip_message *message, uint32_t size)
{
	uint32_t end = 0;

	while (end < size && end < sizeof(event->start_line) && message->bytes[end] != '\r' &&
		message->bytes[end] != '\n')
		end++;
	event->status = message->status;
	event->method = message->method;
	event->cseq = message->cseq;
	copy_text(event->start_line, sizeof(event->start_line), message->bytes, end);
	copy_text(event->call_id, sizeof(event->call_id), message->bytes + message->call_id.offset,
		message->call_id.size);
}

void
bp_trace_message(struct bp_trace *trace, enum bp_direction direction, const struct bp_flow *flow,
	const uint8_t *bytes, uint32_t size, uint64_t time_us)
{
	/* as wide as a view goes: also the message that is refused for its size is in the trace */
	static const struct bp_sip_limits limits = {
		.headers = BP_SIP_HEADERS_MAX - 1, .vias = UINT16_MAX, .uri = UINT16_MAX};
	struct bp_event_message event;

	if (size > BP_SIP_MESSAGE_SIZE_MAX)
		return;
	if (bp_sip_parse(&trace->message, bytes, size, &limits) == BP_SIP_FAULT_EMPTY)
		return;
	event = (struct bp_event_message){
		.time_us = time_us,
		.flow = *flow,
		.size = (uint16_t)size,
		.direction = (uint8_t)direction,
		.worker = trace->worker,
	};
	bp_trace_fill(&event, &trace->message, size - (uint32_t)(trace->message.bytes - bytes));
	if (rte_ring_sp_enqueue_elem(trace->ring, &event, sizeof(event)))
		bp_count(&trace->counters->drops[BP_DROP_trace_ring_full], 1);
}
