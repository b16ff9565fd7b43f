/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The workers' turns, and where they are stopped. See worker.h.
 */
#include "worker.h"

#include "points.h"

#include <limits.h>
#include <stdlib.h>

#define BURST_MAX 8
#define TIMERS_MAX 32
#define TIMERS_LATE 512 /* of a worker that has fallen behind */

unsigned points_left = UINT_MAX;
static struct worker *running; /* the worker whose fiber has the processor */

/* ---- being stopped ---- */

static void
choose_next_stop(struct sim *sim)
{
	unsigned mean = sim->conditions.stops;

	points_left = mean ? sim_below(sim, 2 * mean) : UINT_MAX;
}

static void
resume(struct sim *sim, void *object, uint64_t unused)
{
	struct worker *worker = object;

	running = worker;
	*sim_in_hand = worker->hand.sent ? worker->hand.sent->call->index : NOT_TRACED;
	fiber_resume(worker->fiber);
	running = NULL;
}

/* Most stops are short: what is on the agenda for this moment, or little more. One who falls behind is not held up, so
 * that no message gets older than the timers allow for. */
static uint64_t
length_of_stop(struct sim *sim, const struct worker *worker)
{
	unsigned kind = sim_below(sim, 100);

	if (kind < 60 || worker->waiting > 2)
		return sim_between(sim, 0, 20);
	if (kind < 85)
		return sim_between(sim, 0, MS(2));
	return sim_between(sim, 0, kind < 98 ? MS(30) : MS(200));
}

static void
stop(struct worker *worker)
{
	worker->sim->totals.stops++;
	sim_after(worker->sim, length_of_stop(worker->sim, worker), resume, worker, 0);
	running = NULL;
	fiber_stop(worker->fiber);
}

void
points_stop(void)
{
	struct worker *worker = running;

	if (worker == NULL) {
		points_left = UINT_MAX; /* a batch goes back: no worker's doing */
		return;
	}
	choose_next_stop(worker->sim);
	stop(worker);
}

/* ---- the engine's hooks ---- */

static uint8_t *
hook_reserve(void *context, const struct bp_flow *to, uint32_t size)
{
	struct worker *worker = context;

	worker->to = *to;
	worker->reserved = size;
	if (sim_chance(worker->sim, worker->sim->conditions.hook_stops))
		stop(worker);
	return worker->buffer;
}

static void
hook_send(void *context, const struct bp_flow *to, uint32_t size)
{
	struct worker *worker = context;

	if (size > worker->reserved || !bp_flow_equal(to, &worker->to))
		sim_fail(worker->sim, NULL, "sent what was not reserved");
	worker->reserved = 0;
	witness_sent(worker->sim, &worker->hand, to, (const char *)worker->buffer, size);
	if (sim_chance(worker->sim, worker->sim->conditions.hook_stops))
		stop(worker);
}

static void
hook_defer(void *context, struct bp_batch *batch)
{
	struct worker *worker = context;

	edge_defer(worker->edge, batch);
}

/* ---- turns ---- */

static void
take(struct worker *worker)
{
	struct parcel *parcel = worker->inbox;
	struct sent *sent = parcel->sent;

	worker->inbox = parcel->next;
	worker->waiting--;
	if (worker->inbox == NULL)
		worker->inbox_end = &worker->inbox;
	witness_begin(worker->sim, &worker->hand, sent, worker->sim->now_us);
	if (sent != NULL) {
		*sim_in_hand = sent->call->index;
		sim_note(worker->sim, sent->serial + worker->sim->now_us + worker->index);
		ladder_message(worker->sim, sent->call, LADDER_IN, sent->agent, sent->bytes, worker->index);
		bp_engine_receive(worker->engine, &sent->agent->flow, (const uint8_t *)sent->bytes, sent->size,
			worker->sim->now_us);
	} else {
		witness_unreachable(worker->sim, &worker->hand, parcel->quoted.at, parcel->quoted.size);
		bp_engine_flow_failed(worker->engine, &parcel->to, (const uint8_t *)parcel->quoted.at,
			parcel->quoted.size, worker->sim->now_us);
	}
	witness_end(worker->sim, &worker->hand);
}

static void
expire(struct worker *worker)
{
	*sim_in_hand = NOT_TRACED;
	witness_begin(worker->sim, &worker->hand, NULL, worker->sim->now_us);
	worker->next_us = bp_engine_expire(worker->engine, worker->sim->now_us, 1);
	witness_end(worker->sim, &worker->hand);
}

static void
take_turn(struct worker *worker)
{
	unsigned burst = 1 + sim_below(worker->sim, BURST_MAX) + worker->waiting / 2;
	unsigned timers = 1 + sim_below(worker->sim, TIMERS_MAX) + burst;

	if (worker->next_us + MS(100) < worker->sim->now_us)
		timers += TIMERS_LATE;
	while (burst-- > 0 && worker->inbox != NULL)
		take(worker);
	do
		expire(worker);
	while (--timers > 0 && worker->next_us <= worker->sim->now_us);
	if (sim_chance(worker->sim, 300))
		bp_engine_flush(worker->engine);
}

static void set_alarm(struct worker *worker);

static void
work(void *argument)
{
	struct worker *worker = argument;

	for (;;) {
		take_turn(worker);
		worker->in_turn = false;
		edge_quiescent(worker->edge, worker->index);
		worker->alarm_us = NEVER;
		set_alarm(worker);
		fiber_stop(worker->fiber);
	}
}

static void
turn(struct sim *sim, void *object, uint64_t alarm)
{
	struct worker *worker = object;

	if (worker->in_turn || alarm != worker->alarm)
		return;
	worker->in_turn = true;
	if (points_left == UINT_MAX)
		choose_next_stop(sim);
	resume(sim, worker, 0);
}

/* Sees to it that the next turn comes when there is something to do, or somewhat later. */
static void
set_alarm(struct worker *worker)
{
	struct sim *sim = worker->sim;
	uint64_t due_us = worker->inbox != NULL || worker->next_us < sim->now_us ? sim->now_us : worker->next_us;

	if (due_us == NEVER)
		return;
	due_us += sim_between(sim, 0, sim->conditions.lag_us);
	if (due_us >= worker->alarm_us)
		return;
	worker->alarm_us = due_us;
	sim_at(sim, due_us, turn, worker, ++worker->alarm);
}

void
worker_hand(struct worker *worker, const struct parcel *parcel)
{
	struct parcel *copy = sim_alloc(worker->sim, sizeof(*copy));

	*copy = *parcel;
	*worker->inbox_end = copy;
	worker->inbox_end = &copy->next;
	worker->waiting++;
	if (!worker->in_turn)
		set_alarm(worker);
}

void
worker_begin(struct worker *worker, struct edge *edge, struct sim *sim, struct bp_edge *shared, uint16_t index)
{
	struct bp_engine_hooks hooks = {
		.context = worker, .reserve = hook_reserve, .send = hook_send, .defer = hook_defer};

	*worker = (struct worker){.sim = sim, .edge = edge, .index = index, .alarm_us = NEVER, .next_us = NEVER};
	worker->hand = (struct in_hand){.worker = index, .counters = &worker->counters};
	worker->inbox_end = &worker->inbox;
	worker->fiber = fiber_create(work, worker);
	points_left = UINT_MAX;
	if (bp_engine_create(&worker->engine, shared, index, &hooks, &worker->counters) != 0)
		abort();
}

void
worker_end(struct worker *worker, bool whole)
{
	if (whole)
		bp_engine_free(worker->engine);
	fiber_free(worker->fiber);
}
