/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The stage: an edge with two engines, compiled for the explorer; one caller, one call or request, and one or two
 * targets. What can happen on it is an event; any event may come at any time, on either worker: a timer that is armed may
 * run whatever its deadline says, because a worker can be late by any time. The whole stage can be saved and
 * brought back, and says of itself what must always hold.
 */
#ifndef BYEPASS_INTERLEAVINGS_STAGE_H
#define BYEPASS_INTERLEAVINGS_STAGE_H

#include "proxy/context.h"

#define STAGE_WORKERS 2
#define STAGE_BRANCHES 3
#define STAGE_EVENTS_MAX 128
#define STAGE_TEXT_SIZE 1024

struct stage_options {
	const char *name;
	const char *method;         /* INVITE, or another */
	unsigned targets;           /* 1 or 2 */
	bool parallel;              /* both at once, else one after the other */
	const uint16_t *statuses;   /* that targets answer with, ends with 0 */
};

enum stage_what {
	STAGE_REQUEST, /* the first one, and its retransmissions */
	STAGE_ACK,
	STAGE_CANCEL,
	STAGE_RESPONSE,        /* @detail: status */
	STAGE_CANCEL_RESPONSE, /* 200 to the CANCEL of a branch */
	STAGE_FLOW_FAILED,
	STAGE_TIMER, /* @detail: enum bp_timer */
};

struct stage_event {
	uint8_t what;   /* enum stage_what */
	uint8_t worker; /* that it is handed to */
	uint8_t branch;
	uint16_t detail;
};

/* Makes the stage; there is one in a process. */
void stage_create(const struct stage_options *options);

/* A state of it. */
struct stage_snapshot;
void stage_save(struct stage_snapshot **snapshot); /* into *snapshot, which is made when NULL */
void stage_restore(const struct stage_snapshot *snapshot);

/* What can happen now, all at worker 0: the workers are alike. Returns how many. */
unsigned stage_events(struct stage_event out[STAGE_EVENTS_MAX]);

/* One worker runs one timer after the other, and a timer runs once. */
bool stage_may_meet(const struct stage_event *a, const struct stage_event *b);

/* Lets it happen. Inside an explorer's act, on the act's worker. */
void stage_happen(const struct stage_event *event);

/* Before one or two events happen: time passes until they may. */
void stage_before(const struct stage_event *events, unsigned count);

/* A timer that means nothing any more, in this state and in all that can follow. */
bool stage_is_idle(const struct stage_event *event);

/* After the events of a step: a grace period passes. Then everything that must hold between events is looked at;
 * NULL: it does, else what does not. */
const char *stage_after(void);

/* The record has come to its end. */
bool stage_is_over(void);

/* Everything else stays away and all timers run, in their own order. NULL: it ends as it should. */
const char *stage_run_out(void);

/* Of two states that are the same for all that can follow it is the same. */
uint64_t stage_hash(void);

/* "180 from branch 1 at worker 0". Static. */
const char *stage_event_text(const struct stage_event *event);

/* Prints each message from now on. */
void stage_trace(bool on);

#endif
