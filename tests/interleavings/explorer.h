/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The explorer: runs a few acts as coroutines in every order of their atomic accesses that makes a difference.
 * Two orders make none when one becomes the other by exchanging neighbouring accesses of different coroutines that do
 * not touch the same place, or both only read it, or store the same: of such a class one is run. This is dynamic
 * partial-order reduction (Flanagan and Godefroid, POPL 2005) with sleep sets (Godefroid, 1996), and exhaustive.
 * What it explores is sequentially consistent.
 */
#ifndef BYEPASS_INTERLEAVINGS_EXPLORER_H
#define BYEPASS_INTERLEAVINGS_EXPLORER_H

#include <stdbool.h>
#include <stdint.h>

#define EXPLORER_ACTS_MAX 4

struct explorer_job {
	unsigned acts;
	void *context;
	void (*reset)(void *context);             /* back to the state that all schedules begin in */
	void (*act)(void *context, unsigned act); /* as a coroutine */
	void (*check)(void *context);             /* all acts have returned */
};

struct explorer_stats {
	uint64_t schedules; /* run to their end */
	uint64_t cut;       /* given up on the way: another one was the same */
	uint64_t accesses;
	unsigned longest; /* accesses of one schedule */
};

/* Adds to @stats. */
void explorer_run(const struct explorer_job *job, struct explorer_stats *stats);

/* The act that runs now; -1: none. */
int explorer_current(void);

/* From one to the other the calling act is not interrupted, and is one access to @place. @only_read: it changed
 * nothing. */
void explorer_begin_whole(const volatile void *place, bool writes);
void explorer_end_whole(bool only_read);

/* Which act went at each step of the schedule that runs or has just ended, as digits: for a failure's report, and for
 * explorer_replay(). Static. */
const char *explorer_schedule(void);

/* Runs the one schedule from the state that is; neither reset nor check is called. */
void explorer_replay(const struct explorer_job *job, const char *schedule);

#endif
