/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What workers tell control. Events go into a ring per worker that the worker
 * never waits for; a full ring loses the event and counts it (trace_ring_full).
 */
#ifndef BYEPASS_EVENTS_H
#define BYEPASS_EVENTS_H

#include "byepass/counters.h"
#include "byepass/flow.h"

/* One SIP message as it passed the edge, enough for a line of a ladder diagram. */
struct bp_event_message {
	uint64_t time_us;    /* microseconds since the epoch, UTC */
	struct bp_flow flow; /* far end and our listener */
	uint16_t size;       /* bytes of the whole message */
	uint16_t status;     /* 0: a request */
	uint8_t direction;   /* enum bp_direction */
	uint8_t method;      /* enum bp_method, of the CSeq */
	uint8_t worker;
	uint8_t reserved;
	uint32_t cseq;
	char call_id[128]; /* NUL-terminated, cut off when longer */
	char start_line[128];
};

#endif
