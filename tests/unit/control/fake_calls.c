/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The two calls of every SIP textbook as trace events.
 */
#include "config/units.h"
#include "fake_dataplane.h"

#include <stdio.h>

#define START_US 1763800000000000ull

static const char caller[] = "192.0.2.10:5060", callee[] = "10.0.0.2:5060";

void
fake_event(struct bp_event_message *event, uint64_t time_us, const char *far, uint16_t listener,
	enum bp_direction direction, uint16_t status, enum bp_method method, uint32_t cseq,
	const char *start_line)
{
	struct bp_endpoint endpoint = {0};

	memset(event, 0, sizeof(*event));
	bp_unit_endpoint(far, 5060, &endpoint);
	event->time_us = time_us;
	event->flow.ip = endpoint.ip;
	event->flow.port = endpoint.port;
	event->flow.listener = listener;
	event->size = 500;
	event->status = status;
	event->direction = (uint8_t)direction;
	event->method = (uint8_t)method;
	event->cseq = cseq;
	snprintf(event->start_line, sizeof(event->start_line), "%s", start_line);
}

static unsigned
name(struct bp_event_message *events, unsigned count, const char *call_id)
{
	for (unsigned i = 0; i < count; i++)
		snprintf(events[i].call_id, sizeof(events[i].call_id), "%s", call_id);
	return count;
}

unsigned
fake_answered_call(struct bp_event_message *e, const char *call_id)
{
	const uint64_t t = START_US;
	unsigned n = 0;

#define INVITE BP_METHOD_INVITE, 1
#define BYE BP_METHOD_BYE, 2
	fake_event(&e[n++], t, caller, 0, BP_IN, 0, INVITE, "INVITE sip:bob@example.com SIP/2.0");
	fake_event(&e[n++], t + 20, caller, 0, BP_OUT, 100, INVITE, "SIP/2.0 100 Trying");
	fake_event(&e[n++], t + 40, callee, 1, BP_OUT, 0, INVITE, "INVITE sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 1200, callee, 1, BP_IN, 180, INVITE, "SIP/2.0 180 Ringing");
	fake_event(&e[n++], t + 1230, caller, 0, BP_OUT, 180, INVITE, "SIP/2.0 180 Ringing");
	fake_event(&e[n++], t + 2001200, callee, 1, BP_IN, 200, INVITE, "SIP/2.0 200 OK");
	fake_event(&e[n++], t + 2001230, caller, 0, BP_OUT, 200, INVITE, "SIP/2.0 200 OK");
	fake_event(
		&e[n++], t + 2002100, caller, 0, BP_IN, 0, BP_METHOD_ACK, 1, "ACK sip:bob@10.0.0.2 SIP/2.0");
	fake_event(
		&e[n++], t + 2002130, callee, 1, BP_OUT, 0, BP_METHOD_ACK, 1, "ACK sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 12500000, caller, 0, BP_IN, 0, BYE, "BYE sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 12500020, callee, 1, BP_OUT, 0, BYE, "BYE sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 12501000, callee, 1, BP_IN, 200, BYE, "SIP/2.0 200 OK");
	fake_event(&e[n++], t + 12501030, caller, 0, BP_OUT, 200, BYE, "SIP/2.0 200 OK");
	return name(e, n, call_id);
}

unsigned
fake_cancelled_call(struct bp_event_message *e, const char *call_id)
{
	const uint64_t t = START_US;
	unsigned n = 0;

#define CANCEL BP_METHOD_CANCEL, 1
	fake_event(&e[n++], t, caller, 0, BP_IN, 0, INVITE, "INVITE sip:bob@example.com SIP/2.0");
	fake_event(&e[n++], t + 20, caller, 0, BP_OUT, 100, INVITE, "SIP/2.0 100 Trying");
	fake_event(&e[n++], t + 40, callee, 1, BP_OUT, 0, INVITE, "INVITE sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 500040, callee, 1, BP_OUT, 0, INVITE, "INVITE sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 501200, callee, 1, BP_IN, 180, INVITE, "SIP/2.0 180 Ringing");
	fake_event(&e[n++], t + 501230, caller, 0, BP_OUT, 180, INVITE, "SIP/2.0 180 Ringing");
	fake_event(&e[n++], t + 3000000, caller, 0, BP_IN, 0, CANCEL, "CANCEL sip:bob@example.com SIP/2.0");
	fake_event(&e[n++], t + 3000010, caller, 0, BP_OUT, 200, CANCEL, "SIP/2.0 200 OK");
	fake_event(&e[n++], t + 3000020, callee, 1, BP_OUT, 0, CANCEL, "CANCEL sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 3001000, callee, 1, BP_IN, 200, CANCEL, "SIP/2.0 200 OK");
	fake_event(&e[n++], t + 3001400, callee, 1, BP_IN, 487, INVITE, "SIP/2.0 487 Request Terminated");
	fake_event(
		&e[n++], t + 3001420, callee, 1, BP_OUT, 0, BP_METHOD_ACK, 1, "ACK sip:bob@10.0.0.2 SIP/2.0");
	fake_event(&e[n++], t + 3001440, caller, 0, BP_OUT, 487, INVITE, "SIP/2.0 487 Request Terminated");
	fake_event(&e[n++], t + 3002000, caller, 0, BP_IN, 0, BP_METHOD_ACK, 1,
		"ACK sip:bob@example.com SIP/2.0");
	return name(e, n, call_id);
}
