/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edge's memory, its batches, its birth and its end. The workers are in worker.c.
 */
#include "edge.h"
#include "worker.h"

#include "transaction/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <urcu/urcu-qsbr.h>

#define PENDING_MAX 256
#define SPOILT 0xdb

struct pending {
	struct bp_batch *batch;
	unsigned waits_for; /* a bit per worker that was in a turn when it was handed over */
};

struct edge {
	struct sim *sim;
	struct bp_config *config;
	struct bp_edge *shared;
	struct worker workers[WORKERS_MAX];
	struct agent *targets[TARGETS_MAX];
	struct pending pending[PENDING_MAX];
	unsigned pending_count;
	uint64_t received;
	struct bp_cdr **cdrs;
	unsigned cdr_count;
	unsigned turns;
};

/* The engine's pools, which it maps first; kept here because map() has no context. */

static void *
map_memory(size_t size)
{
	void *memory = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void
unmap_memory(void *memory, size_t size)
{
	munmap(memory, size);
}

/* ---- what the engine gave back ---- */

/* Nobody may look at kept memory any more. Records and dialogs keep their generation for ever. */
static void
spoil_one(void *context, struct bp_slot *slot)
{
	if (slot->pool >= BP_POOL_KEPT)
		memset(slot + 1, SPOILT, bp_slot_size(context, slot) - sizeof(*slot));
}

static void
spoil(const struct bp_batch *batch)
{
	bp_batch_each(batch, spoil_one, batch->memory);
}

static void
release(struct sim *sim, void *object, uint64_t unused)
{
	spoil(object);
	bp_batch_release(object);
}

/* Half of them as soon as may be, others later. */
static void
release_soon(struct sim *sim, struct bp_batch *batch)
{
	sim_after(sim, sim_chance(sim, 500) ? 0 : sim_between(sim, 0, SECONDS(2)), release, batch, 0);
}

void
edge_defer(struct edge *edge, struct bp_batch *batch)
{
	unsigned waits_for = 0;

	for (unsigned i = 0; i < edge->sim->conditions.workers; i++)
		if (edge->workers[i].in_turn)
			waits_for |= 1u << i;
	if (waits_for == 0) {
		release_soon(edge->sim, batch);
		return;
	}
	if (edge->pending_count == PENDING_MAX)
		abort();
	edge->pending[edge->pending_count++] = (struct pending){batch, waits_for};
}

/* ---- call detail records ---- */

static void
keep_cdr(void *context, const struct bp_cdr *cdr)
{
	struct edge *edge = context;
	struct bp_cdr *copy = sim_alloc(edge->sim, bp_cdr_size(cdr));

	memcpy(copy, cdr, bp_cdr_size(cdr));
	sim_append(&edge->cdrs, &edge->cdr_count, copy);
}

unsigned
edge_cdrs(const struct edge *edge, struct bp_cdr *const **cdrs)
{
	*cdrs = edge->cdrs;
	return edge->cdr_count;
}

/* Control comes by at any time, workers may be stopped anywhere. */
static void
control_turn(struct edge *edge)
{
	if (++edge->turns % 5 == 0)
		bp_edge_cdrs(edge->shared, keep_cdr, edge);
}

void
edge_quiescent(struct edge *edge, unsigned worker)
{
	unsigned left = 0;

	control_turn(edge);

	for (unsigned i = 0; i < edge->pending_count; i++) {
		struct pending pending = edge->pending[i];

		pending.waits_for &= ~(1u << worker);
		if (pending.waits_for == 0)
			release_soon(edge->sim, pending.batch);
		else
			edge->pending[left++] = pending;
	}
	edge->pending_count = left;
}

/* ---- birth and end ---- */

static void
make_shared(struct edge *edge)
{
	const struct conditions *c = &edge->sim->conditions;
	struct bp_edge_options options = {
		.workers = (uint16_t)c->workers,
		.transactions = 1024 + 24 * c->calls,
		.dialogs = 256 + 6 * c->calls,
		.kept_bytes = 64 << 20,
		.map = map_memory,
		.unmap = unmap_memory,
		.epoch = 1700000000,
	};

	for (unsigned i = 0; i < sizeof(options.seed); i++)
		options.seed[i] = (uint8_t)sim_below(edge->sim, 256);
	if (bp_edge_create(&edge->shared, edge->config, &options) != 0)
		abort();
}

struct edge *
edge_create(struct sim *sim)
{
	struct edge *edge = calloc(1, sizeof(*edge));

	edge->sim = sim;
	for (unsigned i = 0; i < TARGETS_MAX; i++) {
		edge->targets[i] = agent_new(sim, true);
		edge->targets[i]->target = true;
		edge->targets[i]->routeless = false;
		if (sim_chance(sim, sim->conditions.outages)) {
			edge->targets[i]->down_us = sim->start_us + sim_between(sim, 0, sim->conditions.window_us);
			edge->targets[i]->up_us =
				edge->targets[i]->down_us + sim_between(sim, MS(100), SECONDS(60));
			edge->targets[i]->icmp = sim_chance(sim, 500);
		}
	}
	edge->config = edge_config_create(&sim->conditions, edge->targets);
	make_shared(edge);
	for (unsigned i = 0; i < sim->conditions.workers; i++)
		worker_begin(&edge->workers[i], edge, sim, edge->shared, (uint16_t)i);
	return edge;
}

void
edge_settle(struct edge *edge)
{
	struct event event;

	for (unsigned left = 1; left > 0;) { /* a turn takes back only so much */
		left = bp_edge_cdrs(edge->shared, keep_cdr, edge);
		for (unsigned i = 0; i < edge->sim->conditions.workers; i++) {
			uint64_t before = edge->workers[i].counters.kept_returned;

			bp_engine_expire(edge->workers[i].engine, edge->sim->now_us, 0);
			left += edge->workers[i].counters.kept_returned != before;
			bp_engine_flush(edge->workers[i].engine);
		}
		while (agenda_next(&edge->sim->agenda, &event))
			event.run(edge->sim, event.object, event.argument);
	}
}

/* After a broken rule the engine may be in any state: its memory is left alone. */
void
edge_free(struct edge *edge)
{
	for (unsigned i = 0; i < edge->sim->conditions.workers; i++)
		worker_end(&edge->workers[i], !edge->sim->failed);
	if (!edge->sim->failed)
		bp_edge_free(edge->shared);
	edge_config_free(edge->config);
	free(edge->cdrs);
	free(edge);
}

/* ---- what the world asks ---- */

void
edge_receive(struct edge *edge, struct sent *sent)
{
	unsigned workers = edge->sim->conditions.workers, first = sim_below(edge->sim, workers);
	unsigned copies = sim_chance(edge->sim, edge->sim->conditions.doubles) ? 2 : 1;

	for (unsigned i = 0; i < copies; i++)
		worker_hand(&edge->workers[(first + i) % workers], &(struct parcel){.sent = sent});
	edge->received += copies;
}

void
edge_unreachable(struct edge *edge, const struct bp_flow *to, const char *quoted, unsigned size)
{
	struct text quote = {sim_copy(edge->sim, (struct text){quoted, size}), size};

	worker_hand(&edge->workers[sim_below(edge->sim, edge->sim->conditions.workers)],
		&(struct parcel){.to = *to, .quoted = quote});
}

const struct bp_config *
edge_config(const struct edge *edge)
{
	return edge->config;
}

struct bp_counters
edge_counters(const struct edge *edge)
{
	struct bp_counters sum = {0};

	for (unsigned i = 0; i < edge->sim->conditions.workers; i++)
		for (size_t j = 0; j < sizeof(sum) / sizeof(uint64_t); j++)
			((uint64_t *)&sum)[j] += ((const uint64_t *)&edge->workers[i].counters)[j];
	return sum;
}

uint64_t
edge_received(const struct edge *edge)
{
	return edge->received;
}

struct agent *
edge_target(const struct edge *edge, unsigned target)
{
	return edge->targets[target];
}

unsigned
edge_target_count(const struct edge *edge, enum trunk trunk)
{
	return edge->config->trunks[trunk].target_count;
}
