/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of the stage share.
 */
#ifndef BYEPASS_INTERLEAVINGS_STAGE_INSIDE_H
#define BYEPASS_INTERLEAVINGS_STAGE_INSIDE_H

#include "stage.h"

#define STAGE_TIMERS_MAX 128
#define STAGE_SLOTS 5 /* of records, and of dialogs, that one worker may use */
#define STAGE_ANY_TIMER 0xffff /* in place of one, as they run out */

struct stage_range {
	void *at;
	size_t size;
};

struct stage_worker {
	uint16_t number;
	const struct stage_event *event; /* that happens there */
	struct bp_timer_entry timer;     /* that runs there */
	uint32_t text_size;
	char text[STAGE_TEXT_SIZE]; /* received */
	uint8_t out[2048];          /* to be sent */
};

/* What does not change once it is made, but for what it points to. */
struct stage {
	const struct stage_options *options;
	bool invite, tracing;
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
	bool provisional; /* a 1xx came while it waited, or comes now */
	bool over;        /* nobody waits for it, or something comes now that may end that */
	bool ended;       /* it had its final response, or was given up, before this step */
	uint8_t worst;    /* rank of the refusals that came while it was pending; 0: none came */
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
	bool answered;  /* a final response went up before this step */
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
uint64_t stage_branch_word(struct bp_record *record, unsigned branch);
/* The branch with this word has no final response yet. */
bool stage_is_waiting(uint64_t word);
/* The record waits for a final response from this branch. */
bool stage_is_pending(struct bp_record *record, unsigned branch);

/* All kept memory that the record and the dialogs hold. */
typedef void stage_block(void *context, struct bp_slot *block);
void stage_each_block(stage_block *each, void *context);

/* stage_timer.c: entries that are armed for what still exists, of both workers. */
unsigned stage_timers(struct bp_timer_entry *out[STAGE_TIMERS_MAX]);
/* What tells it from others of its kind: the branch; of a dialog its place among them by tag. */
unsigned stage_timer_branch(const struct bp_timer_entry *entry);
/* Its machine ignores it in this state and in all that can follow. */
bool stage_timer_is_idle(const struct bp_timer_entry *entry);
/* Takes the timer of the event, off whichever worker, for its worker to run; time passes until it is due. */
void stage_timer_take(const struct stage_event *event);
void stage_timer_run(struct stage_worker *worker);

/* stage_seen.c: bp_engine_hooks.send. */
void stage_send(void *context, const struct bp_flow *to, uint32_t size);
/* Before a step, once for all branches; then for each of its events; @other: what happens at the same time, or NULL. */
void stage_note_begin(void);
void stage_note_coming(const struct stage_event *event, const struct stage_event *other);

#endif
