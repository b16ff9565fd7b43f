/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Seeds in processes of their own: several at a time, and one whose engine crashes, or never ends, is a seed that fails
 * like any other. Which seed is reported does not depend on how many run at a time: always the lowest.
 */
#include "sim.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#define JOBS_MAX 256
#define CPU_SECONDS_MAX 60 /* of one seed; a second is much */

/* What the processes share. */
struct shared {
	_Atomic uint64_t next, failed; /* the next seed to be taken; the lowest that has failed */
	struct job {
		uint64_t seed; /* that it runs */
		struct totals totals;
	} jobs[JOBS_MAX];
	struct sim_result result;
	uint32_t in_hand;
};

static struct shared *shared;

static void
share(void)
{
	if (shared != NULL)
		return;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
}

static void
limit_time(void)
{
	struct itimerval limit = {.it_value.tv_sec = CPU_SECONDS_MAX};

	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

static void
note_failure(uint64_t seed)
{
	uint64_t lowest = atomic_load(&shared->failed);

	while (seed < lowest && !atomic_compare_exchange_weak(&shared->failed, &lowest, seed))
		;
}

/* In a process of its own. Each number below one that is taken has been taken, so none that is lower is left out. */
static void
work(struct job *job, uint64_t end)
{
	for (;;) {
		struct sim_result result;

		job->seed = atomic_fetch_add(&shared->next, 1);
		if (job->seed >= end || job->seed > atomic_load(&shared->failed))
			return;
		limit_time();
		result = sim_run(job->seed, NOT_TRACED);
		if (result.failed) {
			note_failure(job->seed);
			return;
		}
#define X(name) job->totals.name += result.totals.name;
		TOTALS(X)
#undef X
	}
}

static pid_t
spawn(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (pid == 0)
		urcu_qsbr_register_thread();
	return pid;
}

static _Noreturn void
leave(void)
{
	fflush(stdout);
	urcu_qsbr_unregister_thread();
	exit(0);
}

/* Waits for any process, or for @pid. Returns its status. */
static int
wait_for(pid_t *pid)
{
	int status;

	*pid = waitpid(*pid, &status, 0);
	if (*pid < 0) {
		perror("waitpid");
		exit(2);
	}
	return status;
}

uint64_t
jobs_run(uint64_t first, uint64_t seeds, unsigned jobs, struct totals *totals)
{
	pid_t pids[JOBS_MAX];

	share();
	atomic_store(&shared->next, first);
	atomic_store(&shared->failed, NEVER);
	jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs;
	for (unsigned i = 0; i < jobs; i++) {
		shared->jobs[i] = (struct job){0};
		pids[i] = spawn();
		if (pids[i] == 0) {
			work(&shared->jobs[i], first + seeds);
			leave();
		}
	}
	*totals = (struct totals){0};
	for (unsigned i = 0; i < jobs; i++) {
		if (wait_for(&pids[i]) != 0)
			note_failure(shared->jobs[i].seed);
#define X(name) totals->name += shared->jobs[i].totals.name;
		TOTALS(X)
#undef X
	}
	return atomic_load(&shared->failed);
}

/* Runs one seed; a crash or an endless run is its violation. */
static void
run_one(uint64_t seed, uint32_t traced)
{
	pid_t pid = spawn();
	int status;

	if (pid == 0) {
		sim_in_hand = &shared->in_hand;
		limit_time();
		shared->result = sim_run(seed, traced);
		leave();
	}
	status = wait_for(&pid);
	if (status == 0)
		return;
	shared->result = (struct sim_result){.failed = true, .offender = shared->in_hand};
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM)
		snprintf(shared->result.violation, sizeof(shared->result.violation), "it does not come to an end");
	else
		snprintf(shared->result.violation, sizeof(shared->result.violation), "the engine crashed (%s %d)",
			WIFSIGNALED(status) ? "signal" : "exit",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void
jobs_explain(uint64_t seed)
{
	struct sim_result first;

	share();
	run_one(seed, NOT_TRACED);
	first = shared->result;
	if (!first.failed) {
		printf("it did not fail again: something here does not follow from the seed\n");
		return;
	}
	printf("broken rule: %s\n", first.violation);
	if (first.offender == NOT_TRACED)
		return;
	printf("call %u, as it happened (---> seen by the edge, x lost, .. > arrived; wN: worker):\n", first.offender);
	run_one(seed, first.offender);
	if (strcmp(shared->result.violation, first.violation) != 0)
		printf("the second run differs: %s\n", shared->result.violation);
}
