/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Adaptive polling: an idle worker first spins, then sleeps in short pieces. The longest
 * piece bounds what a message after silence waits for.
 */
#ifndef BYEPASS_WORKER_IDLE_H
#define BYEPASS_WORKER_IDLE_H

#include "byepass/config.h"

#define BP_IDLE_SPIN_US 50 /* idle this long: spins; then sleeps, the longer the longer nothing came: */
#define BP_IDLE_SLEEPS(X)                                                                                    \
	/* idle for us, sleeps us at a time */                                                               \
	X(1000000, 500) X(5000, 200) X(BP_IDLE_SPIN_US, 50)

struct bp_idle {
	uint64_t since_us; /* begin of the idle stretch */
	bool idle;
};

/* How long to sleep before the next turn, 0: not at all.
 * @worked: the last turn found work. @next_us: when something is due; never overslept. */
uint32_t bp_idle_decide(
	struct bp_idle *idle, enum bp_poll poll, bool worked, uint64_t now_us, uint64_t next_us);

/* Sleeps; RCU: offline meanwhile, so that no grace period waits for a sleeper. */
void bp_idle_sleep(uint32_t us);

#endif
