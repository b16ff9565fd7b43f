/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lcore's function: a thread that becomes a worker, turns its loop, and leaves in good order.
 */
#include "proxy/engine.h"
#include "wire/wire.h"
#include "worker/reclaim.h"
#include "worker/worker.h"

#include <rte_cycles.h>
#include <rte_pause.h>

#include <signal.h>
#include <sys/prctl.h>
#include <urcu-qsbr.h>

void
bp_worker_enter(struct bp_worker *worker)
{
	sigset_t sigio;

	sigemptyset(&sigio); /* net_tap learns of packets by it; see bp_eal_start() */
	sigaddset(&sigio, SIGIO);
	pthread_sigmask(SIG_UNBLOCK, &sigio, NULL);
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* ns: a sleep of 50 us is not to take 100 */
	rcu_register_thread();
	bp_reclaim_join(worker->reclaim);
	__atomic_store_n(&worker->running, true, __ATOMIC_RELEASE);
}

void
bp_worker_leave(struct bp_worker *worker)
{
	bp_engine_release(worker->engine, worker->now_us);
	bp_wire_flush(worker->wire);
	bp_engine_flush(worker->engine);
	bp_reclaim_join(NULL);
	rcu_unregister_thread();
	__atomic_store_n(&worker->running, false, __ATOMIC_RELEASE);
}

int
bp_worker_run(void *argument)
{
	struct bp_worker *worker = argument;
	enum bp_poll poll = worker->config->workers.poll;

	bp_worker_enter(worker);
	while (!__atomic_load_n(&worker->stop, __ATOMIC_RELAXED)) {
		bool worked = bp_worker_turn(worker, rte_rdtsc());
		uint32_t us = bp_idle_decide(
			&worker->idle, poll, worked, worker->now_us, bp_worker_next_us(worker));

		if (us)
			bp_idle_sleep(us);
		else if (!worked)
			rte_pause();
	}
	bp_worker_leave(worker);
	return 0;
}
