/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The data path as control sees it: start, stop, commands, counters, events, ports.
 * Control threads only; what the workers do is in loop.c.
 */
#include "byepass/dataplane.h"
#include "proxy/engine.h"
#include "worker/state.h"

#include <rte_cycles.h>

#include <errno.h>
#include <stdlib.h>

#define COMMAND_US 1000000 /* a worker that takes longer to answer is not alive */

unsigned
bp_dataplane_worker_count(const struct bp_dataplane *dataplane)
{
	return dataplane->worker_count;
}

const struct bp_counters *
bp_dataplane_counters(const struct bp_dataplane *dataplane, unsigned worker)
{
	return &dataplane->workers[worker]->counters;
}

void
bp_dataplane_sum(const struct bp_dataplane *dataplane, struct bp_counters *out)
{
	const size_t words = sizeof(struct bp_counters) / sizeof(uint64_t);
	uint64_t *sum = (uint64_t *)out;
	uint64_t lag = 0;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < dataplane->worker_count; i++) {
		const struct bp_counters *counters = &dataplane->workers[i]->counters;
		const uint64_t *from = (const uint64_t *)counters;

		for (size_t word = 0; word < words; word++)
			sum[word] += bp_count_read(&from[word]);
		if (bp_count_read(&counters->timer_lag_us) > lag)
			lag = bp_count_read(&counters->timer_lag_us);
	}
	out->timer_lag_us = lag; /* a gauge: the worst worker's */
}

/* One command to every worker, then the wait for all of them. */
static int
command(struct bp_dataplane *dataplane, enum bp_command what)
{
	uint64_t numbers[BP_CONFIG_WORKERS_MAX];
	int result = 0;

	pthread_mutex_lock(&dataplane->command_lock);
	for (unsigned i = 0; i < dataplane->worker_count; i++)
		if (bp_mailbox_post(&dataplane->workers[i]->mailbox, what, &numbers[i]))
			numbers[i] = UINT64_MAX; /* full of commands that nobody reads */
	for (unsigned i = 0; i < dataplane->worker_count; i++)
		if (bp_mailbox_wait(&dataplane->workers[i]->mailbox, numbers[i],
			    numbers[i] == UINT64_MAX ? 0 : COMMAND_US))
			result = -ETIMEDOUT;
	pthread_mutex_unlock(&dataplane->command_lock);
	return result;
}

int
bp_dataplane_drain(struct bp_dataplane *dataplane)
{
	return command(dataplane, BP_COMMAND_DRAIN);
}

int
bp_dataplane_probe(struct bp_dataplane *dataplane, uint16_t trunk, uint16_t target, uint32_t number)
{
	struct bp_worker *worker = dataplane->workers[(trunk + target + number) % dataplane->worker_count];
	int result;

	pthread_mutex_lock(&dataplane->command_lock);
	result = bp_mailbox_offer(&worker->mailbox, BP_COMMAND_PROBE, bp_probe_argument(trunk, target, number));
	pthread_mutex_unlock(&dataplane->command_lock);
	return result;
}

uint64_t
bp_dataplane_now_us(const struct bp_dataplane *dataplane)
{
	return bp_clock_us(&dataplane->clock, rte_rdtsc());
}

void
bp_dataplane_names(struct bp_dataplane *dataplane, struct bp_name_table *names)
{
	for (unsigned i = 0; i < dataplane->worker_count; i++)
		__atomic_store_n(&dataplane->workers[i]->names, names, __ATOMIC_RELEASE);
}

bool
bp_dataplane_alive(struct bp_dataplane *dataplane)
{
	bool turned = true;

	pthread_mutex_lock(&dataplane->command_lock);
	for (unsigned i = 0; i < dataplane->worker_count; i++) {
		uint64_t loops = bp_count_read(&dataplane->workers[i]->counters.loops);

		if (loops == dataplane->loops_seen[i])
			turned = false;
		dataplane->loops_seen[i] = loops;
	}
	pthread_mutex_unlock(&dataplane->command_lock);
	/* asked again at once, a sleeping worker may not have turned yet: a ping gives it its time */
	return turned || command(dataplane, BP_COMMAND_PING) == 0;
}

unsigned
bp_dataplane_events(struct bp_dataplane *dataplane, struct bp_event_message *events, unsigned max)
{
	struct bp_clock_sample sample;
	uint64_t offset_us;
	unsigned count = 0;

	/* taken anew at each visit: follows a clock that is set, and the counter's error never adds up */
	bp_clock_look(&sample);
	offset_us = sample.realtime_us - bp_clock_us(&dataplane->clock, sample.tsc);
	for (unsigned i = 0; i < dataplane->worker_count && count < max; i++) {
		/* begins with another worker each time, so that a busy one cannot shut out the rest */
		unsigned worker = (i + dataplane->events_turn) % dataplane->worker_count;

		if (dataplane->workers[worker]->trace)
			count +=
				bp_trace_take(dataplane->workers[worker]->trace, events + count, max - count);
	}
	dataplane->events_turn++;
	for (unsigned i = 0; i < count; i++)
		events[i].time_us += offset_us;
	return count;
}

/* What bp_dataplane_cdrs() was asked for. */
struct taking {
	void (*take)(void *context, const struct bp_cdr *cdr, int64_t offset_us);
	void *context;
	int64_t offset_us;
};

static void
take_one(void *context, const struct bp_cdr *cdr)
{
	const struct taking *taking = context;

	taking->take(taking->context, cdr, taking->offset_us);
}

/* Returns the workers' time. */
static uint64_t
look_at_clock(const struct bp_dataplane *dataplane, struct taking *taking)
{
	struct bp_clock_sample sample;
	uint64_t now_us;

	bp_clock_look(&sample);
	now_us = bp_clock_us(&dataplane->clock, sample.tsc);
	taking->offset_us = (int64_t)(sample.realtime_us - now_us);
	return now_us;
}

unsigned
bp_dataplane_cdrs(struct bp_dataplane *dataplane,
	void (*take)(void *context, const struct bp_cdr *cdr, int64_t offset_us), void *context)
{
	struct taking taking = {.take = take, .context = context};

	look_at_clock(dataplane, &taking);
	return bp_edge_cdrs(dataplane->edge, take_one, &taking);
}

void
bp_dataplane_halt(struct bp_dataplane *dataplane,
	void (*take)(void *context, const struct bp_cdr *cdr, int64_t offset_us), void *context)
{
	struct taking taking = {.take = take, .context = context};
	uint64_t now_us;

	bp_dataplane_stop_workers(dataplane);
	now_us = look_at_clock(dataplane, &taking);
	bp_edge_cdrs(dataplane->edge, take_one, &taking);
	bp_edge_cut_cdrs(dataplane->edge, now_us, take_one, &taking);
}

void
bp_dataplane_kpi(const struct bp_dataplane *dataplane, uint16_t trunk, struct bp_kpi *out)
{
	bp_edge_kpi(dataplane->edge, trunk, out);
}

unsigned
bp_dataplane_port_count(const struct bp_dataplane *dataplane)
{
	return dataplane->ports.count;
}

int
bp_dataplane_port(const struct bp_dataplane *dataplane, unsigned port, struct bp_dataplane_port *out)
{
	return bp_ports_read(&dataplane->ports, port, out);
}

const struct bp_config *
bp_dataplane_config(const struct bp_dataplane *dataplane)
{
	return dataplane->config;
}

void
bp_dataplane_capacity(const struct bp_dataplane *dataplane, uint32_t *transactions, uint32_t *dialogs)
{
	if (transactions)
		*transactions = dataplane->capacity.transactions;
	if (dialogs)
		*dialogs = dataplane->capacity.dialogs;
}
