/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What workers free comes back after an RCU grace period: one call_rcu() a batch, to a thread on the control
 * CPU that is never woken (URCU_CALL_RCU_RT: it looks every 10 ms), so that a worker makes no system call for
 * it.
 */
#ifndef BYEPASS_WORKER_RECLAIM_H
#define BYEPASS_WORKER_RECLAIM_H

struct bp_batch;
struct call_rcu_data;

/* Starts the thread. NULL: no memory or no thread. Control only, as bp_reclaim_stop. */
struct call_rcu_data *bp_reclaim_start(int cpu);

/* Waits until all batches are released, then ends the thread. NULL is legal. The workers have ended. */
void bp_reclaim_stop(struct call_rcu_data *thread);

/* The calling thread's batches go to @thread from now on; NULL before the thread ends.
 * RCU: the caller is a registered reader. */
void bp_reclaim_join(struct call_rcu_data *thread);

/* bp_engine_hooks.defer. Thread: a worker that has joined. */
void bp_reclaim_defer(void *context, struct bp_batch *batch);

#endif
