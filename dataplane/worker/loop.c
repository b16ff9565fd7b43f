/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One turn of a worker. Everything that is called from here runs on an lcore: no system call, no lock, no
 * malloc, no log, no unbounded loop (a test looks at the symbols of these objects).
 * Neighbours: wire/wire.h below, proxy/engine.h above, mailbox.c and trace.c beside.
 */
#include "worker/worker.h"
#include "proxy/engine.h"
#include "wire/wire.h"
#include "worker/spread.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <urcu-qsbr.h>

#define MAIL_BUDGET 4

/* Time of the turn that ended with this one's begin goes to busy or idle, by what it found. */
static void
account(struct bp_worker *worker, uint64_t now_us)
{
	uint64_t *counter = worker->worked ? &worker->counters.busy_us : &worker->counters.idle_us;

	if (worker->now_us)
		bp_count(counter, now_us - worker->now_us);
	bp_count(&worker->counters.loops, 1);
}

/* The cycles since the last call were those of @stage. */
static void
stage(struct bp_worker *worker, enum bp_stage stage)
{
	uint64_t tsc = rte_rdtsc();

	worker->stages[stage] += tsc - worker->stage_tsc;
	worker->stage_tsc = tsc;
}

/* Cycles of a turn that found nothing are nobody's cost. */
static void
count_stages(struct bp_worker *worker)
{
	for (unsigned i = 0; i < BP_STAGE_COUNT; i++) {
		if (worker->worked)
			bp_count(&worker->counters.stage_cycles[i], worker->stages[i]);
		worker->stages[i] = 0;
	}
}

/* What other workers have handed over, as if it had come in on this worker's own queue. */
static unsigned
receive_handed(struct bp_worker *worker)
{
	struct rte_mbuf *frames[BP_WORKER_BURST];
	unsigned count = bp_spread_in(worker->spread, worker->index, frames, BP_WORKER_BURST);

	if (count == 0)
		return 0;
	stage(worker, BP_STAGE_receive);
	bp_count(&worker->counters.frames_handed_in, count);
	for (unsigned begin = 0, end; begin < count; begin = end) {
		unsigned port = bp_spread_port(frames[begin]);

		for (end = begin + 1; end < count && bp_spread_port(frames[end]) == port;)
			end++;
		bp_wire_input(worker->wire, port, frames + begin, end - begin, worker->now_us);
	}
	stage(worker, BP_STAGE_input);
	return count;
}

static unsigned
receive(struct bp_worker *worker)
{
	struct rte_mbuf *frames[BP_WORKER_BURST];
	unsigned received = 0;

	for (unsigned i = 0; i < worker->port_count; i++) {
		const struct bp_worker_port *port = &worker->ports[i];
		unsigned count = rte_eth_rx_burst(port->id, port->queue, frames, BP_WORKER_BURST);

		if (count == 0)
			continue;
		received += count;
		if (worker->spread)
			count = bp_spread_out(
				worker->spread, worker->index, i, frames, count, &worker->counters);
		stage(worker, BP_STAGE_receive);
		bp_wire_input(worker->wire, i, frames, count, worker->now_us);
		stage(worker, BP_STAGE_input);
	}
	return received + (worker->spread ? receive_handed(worker) : 0);
}

/* Runs what is due. */
static unsigned
expire(struct bp_worker *worker)
{
	bool due = worker->next_timer_us <= worker->now_us;

	worker->next_timer_us = bp_engine_expire(worker->engine, worker->now_us, BP_WORKER_EXPIRE_BUDGET);
	return due;
}

static void
announce(struct bp_worker *worker)
{
	bp_wire_announce(worker->wire, worker->now_us);
	worker->announcements--;
	worker->announce_us = worker->announcements ? worker->now_us + BP_WORKER_ANNOUNCE_US : UINT64_MAX;
}

/* Every 10 ms: what is slow or may wait. Freed records leave here in one batch rather than a few per turn. */
static void
tick(struct bp_worker *worker)
{
	worker->next_tick_us = worker->now_us + BP_WORKER_TICK_US;
	bp_wire_tick(worker->wire, worker->now_us);
	if (worker->announce_us <= worker->now_us)
		announce(worker);
	bp_engine_flush(worker->engine);
}

static unsigned
read_mail(struct bp_worker *worker)
{
	struct bp_mail mail;
	unsigned count = 0;

	while (count < MAIL_BUDGET && bp_mailbox_take(&worker->mailbox, &mail)) {
		switch ((enum bp_command)mail.command) {
		case BP_COMMAND_PING:
		case BP_COMMAND_COUNT:
			break;
		case BP_COMMAND_PROBE:
			bp_engine_probe(worker->engine, (uint16_t)(mail.argument >> 48), (uint16_t)(mail.argument >> 32),
				(uint32_t)mail.argument, worker->now_us);
			break;
		case BP_COMMAND_DRAIN:
			bp_engine_drain(worker->engine);
			break;
		}
		bp_mailbox_acknowledge(&worker->mailbox, &mail);
		count++;
	}
	return count;
}

bool
bp_worker_turn(struct bp_worker *worker, uint64_t tsc)
{
	uint64_t now_us = bp_clock_us(&worker->clock, tsc);
	unsigned work;

	if (now_us < worker->now_us) /* the engine's time never goes back */
		now_us = worker->now_us;
	account(worker, now_us);
	worker->now_us = now_us;
	worker->stage_tsc = rte_rdtsc();

	work = receive(worker);
	stage(worker, BP_STAGE_receive);
	work += expire(worker);
	stage(worker, BP_STAGE_timers);
	if (worker->next_tick_us <= now_us)
		tick(worker);
	work += read_mail(worker);
	stage(worker, BP_STAGE_rest);
	work += bp_wire_flush(worker->wire);
	stage(worker, BP_STAGE_transmit);
	rcu_quiescent_state();
	stage(worker, BP_STAGE_rest);
	worker->worked = work > 0;
	count_stages(worker);
	return worker->worked;
}

uint64_t
bp_worker_next_us(const struct bp_worker *worker)
{
	return worker->next_timer_us < worker->next_tick_us ? worker->next_timer_us : worker->next_tick_us;
}

uint8_t *
bp_worker_reserve(void *context, const struct bp_flow *to, uint32_t size)
{
	struct bp_worker *worker = context;
	uint8_t *room = bp_wire_reserve(worker->wire, to, size);

	worker->reserved = room;
	return room;
}

void
bp_worker_send(void *context, const struct bp_flow *to, uint32_t size)
{
	struct bp_worker *worker = context;

	if (worker->trace && worker->reserved)
		bp_trace_message(worker->trace, BP_OUT, to, worker->reserved, size, worker->now_us);
	worker->reserved = NULL;
	bp_wire_send(worker->wire, to, size);
}

void
bp_worker_datagrams(void *context, const struct bp_datagram *datagrams, unsigned count)
{
	struct bp_worker *worker = context;

	stage(worker, BP_STAGE_input);
	if (worker->trace == NULL)
		bp_engine_receive_burst(worker->engine, datagrams, count, worker->now_us);
	for (unsigned i = 0; worker->trace != NULL && i < count; i++) {
		const struct bp_datagram *in = &datagrams[i];

		/* each before what it leads to */
		bp_trace_message(worker->trace, BP_IN, &in->from, in->bytes, in->size, worker->now_us);
		bp_engine_receive(worker->engine, &in->from, in->bytes, in->size, worker->now_us);
	}
	stage(worker, BP_STAGE_engine);
}

void
bp_worker_unreachable(void *context, const struct bp_flow *to, const uint8_t *quoted, uint32_t size)
{
	struct bp_worker *worker = context;

	bp_engine_flow_failed(worker->engine, to, quoted, size, worker->now_us);
}
