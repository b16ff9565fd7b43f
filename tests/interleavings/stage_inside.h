/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What stage.c and stage_check.c share.
 */
#ifndef BYEPASS_INTERLEAVINGS_STAGE_INSIDE_H
#define BYEPASS_INTERLEAVINGS_STAGE_INSIDE_H

#include "stage.h"

#define STAGE_TIMERS_MAX 64
#define STAGE_ANY_TIMER 0xffff /* in place of one, as they run out */

struct stage_range {
	void *at;
	size_t size;
};

struct stage_worker {
	uint16_t number;
	const struct stage_event *event; /* that happens there */
	struct bp_timer_entry *timer;    /* that runs there */
	uint32_t text_size;
	char text[STAGE_TEXT_SIZE]; /* received */
	uint8_t out[2048];          /* to be sent */
};

/* What does not change once it is made, but for what it points to. */
struct stage {
	const struct stage_options *options;
	bool invite;
	struct bp_edge *edge;
	struct bp_engine *engines[STAGE_WORKERS];
	struct bp_counters counters[STAGE_WORKERS];
	struct stage_worker workers[STAGE_WORKERS];
	struct stage_range maps[8]; /* memory that was asked for: pools, then tables */
	unsigned map_count;
	struct bp_batch *batches[64];
	unsigned batch_count;
	char request[STAGE_TEXT_SIZE], cancel[STAGE_TEXT_SIZE], ack[STAGE_TEXT_SIZE];
};
extern struct stage stage;

struct seen_branch {
	bool provisional; /* a 1xx is, or was, on its way in */
	uint8_t cancels;  /* sent, repetitions apart */
	uint8_t acks;
	uint16_t size;
	char text[STAGE_TEXT_SIZE]; /* the request as it was sent */
};

/* What the outside has seen, and the time: part of a state. */
struct seen {
	uint64_t now_us;
	const char *wrong; /* what was seen that must not be */
	uint32_t index;    /* of the record, once its request was sent */
	uint32_t generation;
	uint16_t final; /* status that went up */
	bool refused;   /* 481 to a CANCEL, in this step */
	bool first;     /* there was no record before this step */
	bool anew;      /* the request came again after the end, and made a record of its own */
	struct seen_branch branches[STAGE_BRANCHES];
};
extern struct seen seen;

/* Sum over workers of the counter at @offset. */
uint64_t stage_sum(size_t offset);
bool stage_has_record(void);
/* NULL: there is none any more. */
struct bp_record *stage_record(void);
/* Entries that are armed for what still exists. */
unsigned stage_timers(unsigned worker, struct bp_timer_entry **out);

#endif
