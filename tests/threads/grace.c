/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See grace.h.
 */
#include "grace.h"

#include "transaction/slab.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <urcu-qsbr.h>
#include <urcu/compiler.h>

#ifdef __SANITIZE_THREAD__
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

#ifdef TSAN
#include <sanitizer/tsan_interface.h>

/* liburcu does not join the thread of call_rcu when it has ended. */
const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
	return "report_thread_leaks=0";
}
#else
#define __tsan_acquire(at) ((void)(at))
#define __tsan_release(at) ((void)(at))
#endif

static char marks[THREADS_MAX]; /* of the last quiescent state of each thread */
static struct call_rcu_data *reclaimer;
static void (*spoil_batch)(const struct bp_batch *batch);
static _Atomic unsigned arrived;
static _Atomic unsigned away; /* batches that wait for their grace period */

static void
after_grace(void)
{
	for (unsigned i = 0; i < THREADS_MAX; i++)
		__tsan_acquire(&marks[i]);
}

void
grace_begin(void (*spoil)(const struct bp_batch *batch))
{
	spoil_batch = spoil;
	atomic_store(&arrived, 0);
	reclaimer = create_call_rcu_data(0, -1);
	if (reclaimer == NULL)
		abort();
}

/* Not rcu_barrier(), whose own memory ThreadSanitizer sees freed on another thread. */
void
grace_settle(void)
{
	while (atomic_load(&away) > 0)
		sched_yield();
}

void
grace_end(void)
{
	grace_settle();
	call_rcu_data_free(reclaimer);
}

void
grace_join(unsigned number)
{
	rcu_register_thread();
	set_thread_call_rcu_data(reclaimer);
}

void
grace_leave(unsigned number)
{
	__tsan_release(&marks[number]);
	set_thread_call_rcu_data(NULL);
	rcu_unregister_thread();
}

void
grace_quiescent(unsigned number)
{
	__tsan_release(&marks[number]);
	rcu_quiescent_state();
}

void
grace_wait(void)
{
	synchronize_rcu();
	after_grace();
}

static void
release(struct rcu_head *head)
{
	struct bp_batch *batch = caa_container_of(head, struct bp_batch, rcu);

	__tsan_acquire(batch);
	after_grace();
	if (spoil_batch != NULL)
		spoil_batch(batch);
	bp_batch_release(batch);
	atomic_fetch_sub(&away, 1);
}

void
grace_defer(void *context, struct bp_batch *batch)
{
	atomic_fetch_add_explicit(&away, 1, memory_order_relaxed);
	__tsan_release(batch);
	call_rcu(&batch->rcu, release);
}

void
grace_meet(unsigned number, unsigned count)
{
	unsigned mine = atomic_fetch_add_explicit(&arrived, 1, memory_order_relaxed);
	unsigned all = (mine / count + 1) * count;

	while (atomic_load_explicit(&arrived, memory_order_relaxed) < all) {
		grace_quiescent(number);
		sched_yield();
	}
	cmm_smp_mb();
}
