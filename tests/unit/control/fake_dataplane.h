/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A data path made of plain variables: what the tests of control set here is what
 * byepass/dataplane.h then answers.
 */
#ifndef BYEPASS_FAKE_DATAPLANE_H
#define BYEPASS_FAKE_DATAPLANE_H

#include "byepass/command.h"
#include "byepass/dataplane.h"

#define FAKE_WORKERS_MAX 4
#define FAKE_EVENTS_MAX 64

struct bp_dataplane {
	const struct bp_config *config;
	void (*free_config)(const struct bp_config *);
	unsigned workers;
	struct bp_counters counters[FAKE_WORKERS_MAX];
	struct bp_event_message events[FAKE_EVENTS_MAX];
	unsigned event_count;
	bool alive;
	bool drained;
	unsigned ends_after; /* sums after the drain until calls are over; 0: never */
	int drain_result;
	uint64_t now_us;
	unsigned probe_room; /* probes that are taken; then none */
	uint64_t probes[64]; /* as bp_probe_argument() has them */
	unsigned probe_count;
	void (*on_counters)(
		struct bp_dataplane *dataplane); /* called each time somebody looks at them; NULL: nothing */
};

/* Appends an event of a call; @far as "192.0.2.10:5060", time in microseconds. */
void fake_event(struct bp_event_message *event, uint64_t time_us, const char *far, uint16_t listener,
	enum bp_direction direction, uint16_t status, enum bp_method method, uint32_t cseq,
	const char *start_line);

/* The two textbook calls, between 192.0.2.10:5060 on listener 0 and 10.0.0.2:5060 on listener 1. Returns the
 * count. */
unsigned fake_answered_call(struct bp_event_message *events, const char *call_id);
unsigned fake_cancelled_call(struct bp_event_message *events, const char *call_id);

/* What bp_dataplane_names() was told. */
extern struct bp_name_table *fake_names;

#endif
