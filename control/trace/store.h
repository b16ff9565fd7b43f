/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The last messages that passed the edge, in memory: a ring that forgets the oldest.
 * The main loop adds what workers reported, HTTP threads ask; a mutex between them,
 * no worker ever waits for it.
 */
#ifndef BYEPASS_TRACE_STORE_H
#define BYEPASS_TRACE_STORE_H

#include "byepass/events.h"

/* Most messages that one question is answered with. */
#define BP_TRACE_ANSWER_MAX 1000

struct bp_trace_store;

/* Room for @capacity messages; 0: a store that keeps nothing. 0, or -ENOMEM. */
int bp_trace_store_create(struct bp_trace_store **out, uint32_t capacity);
void bp_trace_store_free(struct bp_trace_store *store);

void bp_trace_store_add(struct bp_trace_store *store, const struct bp_event_message *events, unsigned count);

/* The messages of one call, by time. The earliest BP_TRACE_ANSWER_MAX of those still known.
 * @events: out, freed by the caller. Returns how many; 0 and NULL: none (or no memory). */
unsigned bp_trace_store_call(
	struct bp_trace_store *store, const char *call_id, struct bp_event_message **events);

/* The last @max messages (at most BP_TRACE_ANSWER_MAX) of any call, by time. */
unsigned bp_trace_store_recent(struct bp_trace_store *store, unsigned max, struct bp_event_message **events);

#endif
