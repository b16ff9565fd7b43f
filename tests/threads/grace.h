/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Grace periods for the tests of this folder: liburcu's, as a worker uses them, and said to ThreadSanitizer, which
 * cannot look into liburcu. What is told to it is what RCU promises and no more: whatever a thread did before its last
 * quiescent state happens before what runs after the grace period.
 */
#ifndef BYEPASS_TESTS_THREADS_GRACE_H
#define BYEPASS_TESTS_THREADS_GRACE_H

#include <stdint.h>

#define THREADS_MAX 4

struct bp_batch;

/* Main thread, before the others are made and after they have ended. @spoil: called on each batch once nobody may look at
 * it any more, may be NULL. */
void grace_begin(void (*spoil)(const struct bp_batch *batch));
void grace_end(void);

/* Waits until all that was deferred is released. Main thread, as above. */
void grace_settle(void);

/* Thread @number becomes a reader, and is none any more. */
void grace_join(unsigned number);
void grace_leave(unsigned number);

void grace_quiescent(unsigned number);

/* Waits for a grace period. Not for readers. */
void grace_wait(void);

/* bp_memory_home()'s defer. */
void grace_defer(void *context, struct bp_batch *batch);

/* All @count threads meet, without anything that would order their memory accesses. Waiting is a quiescent state. */
void grace_meet(unsigned number, unsigned count);

/* A cheap sequence of random numbers. */
static inline uint64_t
random_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline unsigned
random_below(uint64_t *state, unsigned limit)
{
	return (unsigned)(random_next(state) >> 32) % limit;
}

#endif
