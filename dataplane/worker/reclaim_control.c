/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The call_rcu thread: control's side of reclamation.
 */
#include "worker/reclaim.h"

#include <signal.h>
#include <stddef.h>
#include <urcu-qsbr.h>

struct call_rcu_data *
bp_reclaim_start(int cpu)
{
	struct call_rcu_data *thread;
	sigset_t all, before;

	sigfillset(&all); /* the thread inherits the mask: signals are control's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	thread = create_call_rcu_data(URCU_CALL_RCU_RT, cpu);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return thread;
}

void
bp_reclaim_stop(struct call_rcu_data *thread)
{
	if (!thread)
		return;
	rcu_barrier();
	call_rcu_data_free(thread);
}

void
bp_reclaim_join(struct call_rcu_data *thread)
{
	set_thread_call_rcu_data(thread);
}
