/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When and how long an idle worker sleeps. The only system call that a worker makes by itself.
 */
#include "worker/idle.h"

#include <time.h>
#include <urcu-qsbr.h>

/* The sleep that fits an idle stretch; 0: spin. */
static uint32_t
sleep_after(uint64_t stretch_us)
{
#define X(after, us)                                                                                         \
	if (stretch_us >= (after))                                                                           \
		return us;
	BP_IDLE_SLEEPS(X)
#undef X
	return 0;
}

uint32_t
bp_idle_decide(struct bp_idle *idle, enum bp_poll poll, bool worked, uint64_t now_us, uint64_t next_us)
{
	uint32_t us;

	if (worked || poll == BP_POLL_BUSY) {
		idle->idle = false;
		return 0;
	}
	if (!idle->idle) {
		idle->idle = true;
		idle->since_us = now_us;
	}
	us = sleep_after(now_us - idle->since_us);
	if (us == 0 || next_us <= now_us)
		return 0;
	return next_us - now_us < us ? (uint32_t)(next_us - now_us) : us;
}

void
bp_idle_sleep(uint32_t us)
{
	const struct timespec length = {.tv_nsec = (long)us * 1000};

	rcu_thread_offline();
	nanosleep(&length, NULL); /* a signal (net_tap's SIGIO) ends it early: there is work */
	rcu_thread_online();
}
