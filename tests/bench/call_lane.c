/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Generators and who turns them: the main thread, which shares its CPU with control, or each worker between two turns
 * of its own.
 */
#include "call.h"
#include "worker/worker.h"

#include <math.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct call_lanes call_lanes;

static void
obey(struct call_lane *lane, struct gen *gen, unsigned asked)
{
	gen_rate(gen, lane->rate);
	if (lane->report != NULL)
		gen_report(gen, lane->report);
	if (lane->reset)
		gen_report_reset(gen);
	atomic_store_explicit(&lane->done, asked, memory_order_release);
}

static void
turn(struct call_lane *lane, struct gen *gen, uint64_t tsc)
{
	unsigned asked = atomic_load_explicit(&lane->asked, memory_order_acquire);

	if (asked != atomic_load_explicit(&lane->done, memory_order_relaxed))
		obey(lane, gen, asked);
	gen_turn(gen, tsc);
	atomic_store_explicit(&lane->idle, gen_idle(gen), memory_order_relaxed);
}

int
call_lane_run(void *argument)
{
	struct bp_worker *worker = argument;
	struct call_lane *lane = &call_lanes.lanes[worker->index];

	bp_worker_enter(worker);
	while (!__atomic_load_n(&worker->stop, __ATOMIC_RELAXED)) {
		struct gen *gen = __atomic_load_n(&lane->gen, __ATOMIC_ACQUIRE);

		if (gen != NULL)
			turn(lane, gen, rte_rdtsc());
		else
			atomic_store_explicit(&lane->empty, true, memory_order_release);
		bp_worker_turn(worker, rte_rdtsc());
	}
	bp_worker_leave(worker);
	return 0;
}

static void
sleep_ms(unsigned ms)
{
	const struct timespec length = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&length, NULL);
}

void
call_lanes_run(double seconds)
{
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());

	while (rte_rdtsc() < end) {
		if (call_lanes.is_inline)
			sleep_ms(1);
		else
			turn(&call_lanes.lanes[0], call_lanes.lanes[0].gen, rte_rdtsc());
	}
}

static bool
idle(void)
{
	for (unsigned i = 0; i < call_lanes.count; i++)
		if (!atomic_load_explicit(&call_lanes.lanes[i].idle, memory_order_relaxed))
			return false;
	return true;
}

void
call_lanes_drain(double seconds)
{
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());

	do
		call_lanes_run(0.001);
	while (!idle() && rte_rdtsc() < end);
}

static void
ask(struct gen_report *reports)
{
	for (unsigned i = 0; i < call_lanes.count; i++) {
		struct call_lane *lane = &call_lanes.lanes[i];

		lane->report = reports != NULL ? &reports[i] : NULL;
		atomic_fetch_add_explicit(&lane->asked, 1, memory_order_release);
	}
	for (unsigned i = 0; i < call_lanes.count; i++)
		while (atomic_load_explicit(&call_lanes.lanes[i].asked, memory_order_relaxed) !=
			atomic_load_explicit(&call_lanes.lanes[i].done, memory_order_acquire))
			call_lanes_run(0.00001);
}

void
call_lanes_ask(double rate, bool reset)
{
	for (unsigned i = 0; i < call_lanes.count; i++) {
		call_lanes.lanes[i].rate = isinf(rate) ? rate : rate / call_lanes.count;
		call_lanes.lanes[i].reset = reset;
	}
	ask(NULL);
	for (unsigned i = 0; i < call_lanes.count; i++)
		call_lanes.lanes[i].reset = false;
}

void
call_lanes_leave(struct gen *left[CALL_LANES_MAX])
{
	for (unsigned i = 0; i < call_lanes.count; i++) {
		struct call_lane *lane = &call_lanes.lanes[i];

		left[i] = __atomic_exchange_n(&lane->gen, NULL, __ATOMIC_ACQ_REL);
		atomic_store_explicit(&lane->empty, !call_lanes.is_inline, memory_order_relaxed);
		while (!atomic_load_explicit(&lane->empty, memory_order_acquire))
			sleep_ms(1); /* its worker may be in the midst of a turn, however long that takes */
	}
}

void
call_lanes_report(struct gen_report *sum)
{
	struct gen_report *reports = calloc(call_lanes.count, sizeof(*reports));

	if (reports == NULL)
		abort();
	ask(reports);
	*sum = reports[0];
	for (unsigned i = 1; i < call_lanes.count; i++)
		gen_report_add(sum, &reports[i]);
	free(reports);
}
