/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The world's clock, memory and chance, and the run of one seed. See sim.h.
 */
#include "sim.h"

#include "edge.h"
#include "people.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (1 << 20)

static uint32_t nowhere;
uint32_t *sim_in_hand = &nowhere;

struct block {
	struct block *next;
	size_t used;
	uint8_t bytes[] __attribute__((aligned(16)));
};

void *
sim_alloc(struct sim *sim, size_t size)
{
	size_t room = (size + 15) & ~(size_t)15;
	struct block *block = sim->memory;
	void *memory;

	if (block == NULL || block->used + room > BLOCK_SIZE) {
		block = malloc(sizeof(*block) + BLOCK_SIZE + (room > BLOCK_SIZE ? room : 0));
		if (block == NULL)
			abort();
		*block = (struct block){.next = sim->memory};
		sim->memory = block;
	}
	memory = block->bytes + block->used;
	block->used += room;
	return memset(memory, 0, size);
}

char *
sim_copy(struct sim *sim, struct text text)
{
	char *copy = sim_alloc(sim, text.size + 1u);

	memcpy(copy, text.at, text.size);
	return copy;
}

void
sim_append(void *array, unsigned *count, void *item)
{
	void ***items = array;

	if ((*count & (*count - 1)) == 0) { /* full at each power of two */
		*items = realloc(*items, (*count ? 2 * (size_t)*count : 1) * sizeof(**items));
		if (*items == NULL)
			abort();
	}
	(*items)[(*count)++] = item;
}

void
sim_at(struct sim *sim, uint64_t time_us, event_run run, void *object, uint64_t argument)
{
	uint64_t order = sim->order++;

	if (sim->conditions.shuffle)
		order |= random_next(&sim->random) << 40;
	agenda_add(&sim->agenda, &(struct event){time_us, order, run, object, argument});
}

void
sim_after(struct sim *sim, uint64_t delay_us, event_run run, void *object, uint64_t argument)
{
	sim_at(sim, sim->now_us + delay_us, run, object, argument);
}

unsigned
sim_below(struct sim *sim, unsigned n)
{
	return random_below(&sim->random, n);
}

uint64_t
sim_between(struct sim *sim, uint64_t low, uint64_t high)
{
	return low + random_next(&sim->random) % (high - low + 1);
}

bool
sim_chance(struct sim *sim, unsigned per_mille)
{
	return random_below(&sim->random, 1000) < per_mille;
}

void
sim_note(struct sim *sim, uint64_t value)
{
	uint64_t mixed = (sim->totals.trace ^ value) * 0x9e3779b97f4a7c15u;

	sim->totals.trace = mixed ^ mixed >> 29;
}

void
sim_fail(struct sim *sim, struct call *call, const char *format, ...)
{
	va_list arguments;

	if (sim->failed)
		return;
	sim->failed = true;
	sim->offender = call;
	va_start(arguments, format);
	vsnprintf(sim->violation, sizeof(sim->violation), format, arguments);
	va_end(arguments);
	ladder_note(sim, call, "!!! %s", sim->violation);
}

/* ---- one run ---- */

static void
make_calls(struct sim *sim)
{
	const struct conditions *c = &sim->conditions;

	sim->calls = sim_alloc(sim, c->calls * sizeof(*sim->calls));
	for (unsigned i = 0; i < c->calls; i++) {
		struct call *call = &sim->calls[i];

		call->index = i;
		caller_plan(sim, call);
		sim_at(sim, sim->start_us + sim_between(sim, 0, c->window_us), caller_start, call, 0);
	}
}

static void
begin(struct sim *sim, uint64_t seed, uint32_t traced)
{
	*sim = (struct sim){.traced = traced, .start_us = SECONDS(1000000)};
	sim->random.state = seed * 0x9e3779b97f4a7c15u + 1;
	sim->now_us = sim->start_us;
	sim->tick = 1;
	conditions_choose(&sim->conditions, &sim->random);
	sim->branches = map_create();
	sim->servers = map_create();
	sim->owns = map_create();
	sim->edge = edge_create(sim);
	make_calls(sim);
}

static void
end(struct sim *sim)
{
	edge_free(sim->edge);
	map_free(sim->branches);
	map_free(sim->servers);
	map_free(sim->owns);
	agenda_free(&sim->agenda);
	for (unsigned i = 0; i < sim->sent_count; i++)
		free(sim->sents[i]->bytes);
	free(sim->sents);
	free(sim->clients);
	free(sim->agents[0]);
	free(sim->agents[1]);
	while (sim->memory != NULL) {
		struct block *next = sim->memory->next;

		free(sim->memory);
		sim->memory = next;
	}
}

struct sim_result
sim_run(uint64_t seed, uint32_t traced)
{
	struct sim_result result = {.offender = NOT_TRACED};
	struct event event;
	struct sim sim;

	begin(&sim, seed, traced);
	while (!sim.failed && agenda_next(&sim.agenda, &event)) {
		sim.now_us = event.time_us;
		event.run(&sim, event.object, event.argument);
	}
	if (!sim.failed) {
		edge_settle(sim.edge);
		verdict(&sim);
	}
	result.failed = sim.failed;
	sim.totals.calls = sim.conditions.calls;
	sim.totals.virtual_us = sim.now_us - sim.start_us;
	result.totals = sim.totals;
	if (sim.offender != NULL)
		result.offender = sim.offender->index;
	memcpy(result.violation, sim.violation, sizeof(result.violation));
	end(&sim);
	return result;
}
