/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The end of a record and its slot's next life: dataplane/transaction/slab.c, table.c and record.c and
 * proxy/finish.c as they are, workers interrupted before each atomic access, in every order; with three workers an
 * operation on the table is one access. There are as many slots for records and for kept messages as a scenario says,
 * one or two, so that whatever is freed is used again at once.
 *
 * A grace period is over, and not a moment later, when every worker that was inside when the batch was handed over has
 * gone outside; whoever is the last gives the slots back. Whoever is inside must find what it found unchanged, and who
 * comes with a reference of an earlier life must not act on a later one.
 */
#include "explorer.h"
#include "proxy/context.h"
#include "slab_inside.h"
#include "table_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define WORKERS 3
#define SLOTS_MAX 2
#define STEPS 5
#define BATCHES_MAX 16
#define MAPS_MAX 4
#define MEMORY_SIZE 65536

/* What a worker does from one quiescent state to the next. */
enum what {
	NOTHING,
	TIMER_J,  /* of the first life; with TIMER_K it ends the record */
	TIMER_K,
	ENDS,     /* both */
	REQUEST,  /* of the first life, again */
	CANCEL,
	RESPONSE, /* with the branch of the first life */
	MAKE,     /* a record for the same request */
	OTHER,    /* a record for another request */
	OTHER_ENDS, /* both timers of the worker's own record, if it made one */
};

struct scenario {
	const char *name;
	uint32_t slots;
	enum what steps[WORKERS][STEPS];
};

/* What a slot holds, as the one who filled it knows. */
struct life {
	uint32_t number; /* 0: free */
	uint32_t request;
};

struct state {
	struct life lives[SLOTS_MAX];
	uint32_t born;
	struct bp_record *made[WORKERS];
	uint32_t made_generation[WORKERS];
	unsigned inside; /* workers, by bit */
	struct {
		struct bp_batch *batch;
		unsigned waits_for;
	} handed[BATCHES_MAX];
};

static struct bp_edge edge;
static struct bp_engine engines[WORKERS];
static struct bp_counters counters[WORKERS];
static struct state now, before;
static struct {
	uint8_t *at;
	size_t size;
	uint8_t saved[MEMORY_SIZE];
} maps[MAPS_MAX];
static unsigned map_count;
static uint32_t first_generation;
static const struct scenario *scenario;
static uint64_t actions; /* that somebody took on the first life, over all schedules */
static uint64_t reborn;  /* schedules in which a slot had another life */

static _Noreturn void
wrong(const char *why)
{
	printf("%s: %s (schedule %s)\n", scenario->name, why, explorer_schedule());
	fail();
	abort();
}

static void *
map(size_t size)
{
	if (map_count == MAPS_MAX || size > MEMORY_SIZE)
		abort();
	maps[map_count].at = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
	maps[map_count].size = size;
	return memset(maps[map_count++].at, 0, size);
}

static void
unmap(void *memory, size_t size)
{
	free(memory);
}

/* ---- grace periods ---- */

static void
defer(void *context, struct bp_batch *batch)
{
	unsigned i = 0;

	explorer_begin_whole(&now.inside, true);
	while (i < BATCHES_MAX && now.handed[i].batch != NULL)
		i++;
	if (i == BATCHES_MAX)
		abort();
	now.handed[i].batch = batch;
	now.handed[i].waits_for = now.inside;
	explorer_end_whole(false);
}

static void
go_inside(unsigned worker)
{
	explorer_begin_whole(&now.inside, true);
	now.inside |= 1u << worker;
	explorer_end_whole(false);
}

static void
go_outside(unsigned worker)
{
	struct bp_batch *over[BATCHES_MAX];
	unsigned count = 0;

	bp_memory_flush(engines[worker].memory);
	explorer_begin_whole(&now.inside, true);
	now.inside &= ~(1u << worker);
	for (unsigned i = 0; i < BATCHES_MAX; i++) {
		now.handed[i].waits_for &= ~(1u << worker);
		if (now.handed[i].batch == NULL || now.handed[i].waits_for != 0)
			continue;
		over[count++] = now.handed[i].batch;
		now.handed[i].batch = NULL;
	}
	explorer_end_whole(false);
	while (count > 0)
		bp_batch_release(over[--count]);
}

/* ---- lives ---- */

static struct life *
life_of(const struct bp_record *record)
{
	return &now.lives[bp_slot_index(edge.memory, &record->slot)];
}

/* Of the smallest class: to look through all the others, which are empty, shows nothing. */
static struct bp_kept *
make_kept(struct bp_engine *engine, uint32_t number)
{
	struct bp_kept *kept = (struct bp_kept *)bp_slot_take(engine->memory, BP_POOL_KEPT);

	if (kept == NULL)
		return NULL;
	kept->size = sizeof(number);
	kept->status = 200;
	memcpy(kept->bytes, &number, sizeof(number));
	return kept;
}

/* As bp_forward() does; the request has its final response already. */
static void
make(unsigned worker, uint32_t request)
{
	struct bp_engine *engine = &engines[worker];
	struct bp_record *record = (struct bp_record *)bp_slot_take(engine->memory, BP_POOL_RECORD);
	struct bp_kept *kept = record ? make_kept(engine, now.born + 1) : NULL;
	uint64_t base;

	if (kept == NULL) {
		bp_slot_return(engine->memory, record ? &record->slot : NULL);
		return;
	}
	if (life_of(record)->number != 0)
		wrong("a slot has two owners");
	base = (uint64_t)bp_word_generation(atomic_load(&record->server)) << BP_WORD_GENERATION_SHIFT;
	record->node.id[0] = 5;
	record->node.id[1] = request;
	record->method = BP_METHOD_MESSAGE;
	atomic_store(&record->ack, NULL);
	atomic_store(&record->response, kept);
	atomic_store(&record->branch_count, 1);
	atomic_store(&record->branch, BP_WORD_SET(base, STATE, BP_NICT_COMPLETED));
	atomic_store(&record->server, BP_WORD_SET(base, STATE, BP_NIST_COMPLETED));
	*life_of(record) = (struct life){++now.born, request};
	memcpy(kept->bytes, &now.born, sizeof(now.born)); /* another worker may have made one meanwhile */
	if (bp_record_add(edge.transactions, record) != record) {
		*life_of(record) = (struct life){0};
		bp_slot_return(engine->memory, &kept->slot);
		bp_slot_return(engine->memory, &record->slot);
		return;
	}
	now.made[worker] = record;
	now.made_generation[worker] = (uint32_t)(base >> BP_WORD_GENERATION_SHIFT);
}

/* Only who ends a record sees its life end: from then on nobody may act on it. */
static void
finish(unsigned worker, struct bp_record *record, uint32_t generation)
{
	uint64_t ended = counters[worker].transactions_ended[BP_KIND_NON_INVITE];

	bp_finish(&engines[worker], record, generation);
	if (counters[worker].transactions_ended[BP_KIND_NON_INVITE] == ended)
		return;
	if (life_of(record)->number == 0)
		wrong("a record ended twice");
	*life_of(record) = (struct life){0};
}

/* ---- who comes with what it knows of the first life ---- */

static void
must_be_first(const struct bp_record *record)
{
	actions++;
	if (record->node.id[1] != 1 || life_of(record)->number > 1)
		wrong("a reference of an earlier life acted on a later one");
}

/* Looks at the message now, and once more before it goes outside. */
static void
send_kept(struct bp_record *record)
{
	const struct bp_kept *kept = atomic_load(&record->response);
	uint32_t number, again;

	if (kept == NULL)
		return;
	memcpy(&number, kept->bytes, sizeof(number));
	atomic_load(&record->server);
	memcpy(&again, kept->bytes, sizeof(again));
	if (number != again)
		wrong("a kept message changed under its reader");
}

static void
timer(unsigned worker, bool server, struct bp_record *record, uint32_t generation)
{
	struct bp_swap swap;

	if (bp_word_generation(atomic_load(&record->server)) != generation)
		return;
	swap = server ? bp_server_event(record, generation, BP_NIST_ON_TIMER_J, 0, 0)
		      : bp_branch_event(record, generation, 0, BP_NICT_ON_TIMER_K, 0, 0);
	if (swap.action == BP_DO_END)
		finish(worker, record, generation);
}

/* Found in the table: whatever becomes of it, it stays the same one while the reader is inside. */
static void
ask(bool cancel)
{
	const uint64_t id[2] = {5, 1};
	struct bp_record *record = bp_record_find(edge.transactions, id, cancel ? BP_METHOD_CANCEL : BP_METHOD_MESSAGE);
	uint32_t generation;
	struct bp_swap swap;

	if (record == NULL)
		return;
	if (record->node.id[1] != 1)
		wrong("another request was found");
	generation = bp_word_generation(atomic_load(&record->server));
	swap = cancel ? bp_server_cancel(record, generation)
		      : bp_server_event(record, generation, BP_NIST_ON_REQUEST, 0, 0);
	if (swap.action == BP_DO_DROP)
		return;
	if (record->node.id[1] != 1 || life_of(record)->number == 0)
		wrong("a request acted on what was no record of its own");
	actions++;
	if (!cancel)
		send_kept(record);
	else if (swap.action == BP_DO_SEND) /* timer J of the CANCEL: at once, so that the record can end */
		bp_server_cancel_event(record, generation, BP_NIST_ON_TIMER_J);
	if (record->node.id[1] != 1)
		wrong("a record was used again under its reader");
}

static void
respond(struct bp_record *record)
{
	if (bp_word_generation(atomic_load(&record->server)) != first_generation)
		return;
	if (bp_branch_event(record, first_generation, 0, BP_NICT_ON_FINAL, 0, 0).action == BP_DO_DROP)
		return;
	must_be_first(record);
	send_kept(record);
}

static void
step(unsigned worker, enum what what)
{
	struct bp_record *record = (struct bp_record *)bp_slot_at(edge.memory, BP_POOL_RECORD, 0);

	go_inside(worker);
	switch (what) {
	case NOTHING:
		break;
	case TIMER_J:
	case TIMER_K:
		timer(worker, what == TIMER_J, record, first_generation);
		break;
	case ENDS:
		timer(worker, true, record, first_generation);
		timer(worker, false, record, first_generation);
		break;
	case REQUEST:
	case CANCEL:
		ask(what == CANCEL);
		break;
	case RESPONSE:
		respond(record);
		break;
	case MAKE:
	case OTHER:
		make(worker, what == MAKE ? 1 : 2);
		break;
	case OTHER_ENDS:
		if (now.made[worker] == NULL)
			break;
		timer(worker, true, now.made[worker], now.made_generation[worker]);
		timer(worker, false, now.made[worker], now.made_generation[worker]);
		break;
	}
	go_outside(worker);
}

static void
act(void *context, unsigned number)
{
	for (unsigned i = 0; i < STEPS && scenario->steps[number][i] != NOTHING; i++)
		step(number, scenario->steps[number][i]);
}

/* ---- before and after ---- */

static void
save_or_restore(bool save)
{
	for (unsigned i = 0; i < map_count; i++)
		if (save)
			memcpy(maps[i].saved, maps[i].at, maps[i].size);
		else
			memcpy(maps[i].at, maps[i].saved, maps[i].size);
	if (save)
		before = now;
	else
		now = before;
}

static void
reset(void *context)
{
	static uint8_t saved[MEMORY_SIZE];
	static const struct scenario *of;
	size_t size;
	void *at = slab_control(edge.memory, &size);

	if (size > sizeof(saved))
		abort();
	if (of != scenario)
		memcpy(saved, at, size);
	else
		memcpy(at, saved, size);
	of = scenario;
	for (unsigned i = 0; i < WORKERS; i++) /* memory for timers is promised elsewhere: no credit is passed on here */
		engines[i].timers = (struct bp_timers){.memory = engines[i].memory};
	save_or_restore(false);
}

static void
count_slot(void *context, struct bp_slot *slot)
{
	unsigned *times = context;

	times[slot->pool == BP_POOL_RECORD ? bp_slot_index(edge.memory, slot) : SLOTS_MAX]++;
}

/* Each slot is free once, or one life's own. */
static void
check(void *context)
{
	unsigned times[SLOTS_MAX + 1] = {0}, lives = 0;

	reborn += now.born > 1;
	if (now.inside != 0)
		wrong("somebody is still inside");
	for (unsigned i = 0; i < BATCHES_MAX; i++)
		if (now.handed[i].batch != NULL)
			wrong("a batch was never given back");
	slab_each_free(edge.memory, BP_POOL_RECORD, 2 * SLOTS_MAX, count_slot, times);
	slab_each_free(edge.memory, BP_POOL_KEPT, 2 * SLOTS_MAX, count_slot, times);
	for (unsigned i = 0; i < scenario->slots; i++) {
		const struct bp_record *record = (const struct bp_record *)bp_slot_at(edge.memory, BP_POOL_RECORD, i);

		if (record == NULL) /* never used */
			continue;
		lives += now.lives[i].number != 0;
		if (times[i] != (now.lives[i].number == 0))
			wrong("the slot of a record is free twice, or lost");
		if (now.lives[i].number != 0 && record->node.id[1] != now.lives[i].request)
			wrong("a record is not what was made");
	}
	if (times[SLOTS_MAX] + lives != scenario->slots)
		wrong("the slot of a message is free twice, or lost");
}

static void
prepare(void)
{
	struct bp_memory_options options = {.workers = WORKERS,
		.slots = {[BP_POOL_RECORD] = scenario->slots},
		.slot_size = {sizeof(struct bp_record), sizeof(struct bp_dialog), sizeof(struct bp_timer_chunk)},
		.kept_bytes = 32 * (uint64_t)scenario->slots, /* of the smallest class */
		.map = map,
		.unmap = unmap};
	struct bp_table_options table = {.entries = 1, .map = map, .unmap = unmap};
	size_t slot_size;

	map_count = 0;
	memset(&now, 0, sizeof(now));
	memset(counters, 0, sizeof(counters));
	if (bp_memory_create(&edge.memory, &options) != 0)
		abort();
	table.slots = bp_pool_slots(edge.memory, BP_POOL_RECORD, &slot_size);
	table.slot_size = slot_size;
	table.node_offset = offsetof(struct bp_record, node);
	if (bp_table_create(&edge.transactions, &table) != 0)
		abort();
	for (uint16_t i = 0; i < WORKERS; i++) {
		engines[i].edge = &edge;
		engines[i].counters = &counters[i];
		engines[i].memory = bp_memory_home(edge.memory, i, defer, NULL, &counters[i]);
	}
	make(0, 1);
	if (now.born != 1)
		wrong("preparation");
	first_generation = now.made_generation[0];
	now.made[0] = NULL;
	save_or_restore(true);
}

static void
clear(void)
{
	bp_table_free(edge.transactions);
	bp_memory_free(edge.memory);
}

/* clang-format off */
static const struct scenario scenarios[] = {
	{"two timers end one record", 1, {{TIMER_J}, {TIMER_K}}},
	{"and its slot is used again", 1, {{TIMER_J, TIMER_K, OTHER}, {TIMER_K}}},
	{"by another worker", 1, {{TIMER_J}, {TIMER_K}, {OTHER}}},
	{"the request comes again as its record ends", 1, {{TIMER_J, TIMER_K}, {REQUEST}}},
	{"and the slot is used again for it", 1, {{TIMER_J, TIMER_K}, {REQUEST, MAKE}}},
	{"and by another worker", 1, {{ENDS}, {REQUEST}, {MAKE}}},
	{"and for another request", 1, {{ENDS}, {REQUEST}, {OTHER}}},
	{"a CANCEL comes as its record ends", 1, {{TIMER_J, TIMER_K}, {CANCEL}}},
	{"and the slot is used again for the request", 1, {{ENDS}, {CANCEL}, {MAKE}}},
	{"and for another", 1, {{TIMER_J, TIMER_K, OTHER}, {CANCEL}}},
	{"a response comes as its record ends", 1, {{ENDS}, {RESPONSE}, {OTHER}}},
	{"when its slot has had another life", 1, {{ENDS, OTHER}, {RESPONSE, RESPONSE}}},
	{"or two", 1, {{ENDS, OTHER, OTHER_ENDS, OTHER}, {RESPONSE}}},
	{"a timer is late by a life", 1, {{ENDS}, {TIMER_K}, {OTHER}}},
	{"or by two", 1, {{ENDS, OTHER, OTHER_ENDS, OTHER}, {TIMER_J}}},
	{"two make a record of the one slot", 1, {{ENDS}, {OTHER}, {MAKE}}},
	{"the request is answered again while another one is made", 2, {{ENDS, OTHER}, {REQUEST}}},
	{"a response comes while another request does", 2, {{ENDS, OTHER}, {RESPONSE}}},
	{"two slots change hands", 2, {{ENDS, OTHER}, {OTHER, OTHER_ENDS}}},
	{"among three", 2, {{ENDS}, {OTHER}, {MAKE}}},
	{"the same request twice, with room for both", 2, {{ENDS, MAKE}, {MAKE}}},
};
/* clang-format on */

static void
test_scenarios(void **state)
{
	struct explorer_stats total = {0};

	for (unsigned i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct explorer_stats stats = {0};
		struct explorer_job job = {.acts = 2, .reset = reset, .act = act, .check = check};

		scenario = &scenarios[i];
		job.acts += scenario->steps[2][0] != NOTHING;
		prepare();
		table_be_whole(job.acts > 2);
		explorer_run(&job, &stats);
		clear();
		printf("%9" PRIu64 " schedules of up to %3u accesses: %s\n", stats.schedules, stats.longest,
			scenario->name);
		total.schedules += stats.schedules;
		total.cut += stats.cut;
		total.accesses += stats.accesses;
	}
	printf("%9" PRIu64 " schedules in all, %" PRIu64 " cut short, %" PRIu64 " accesses; %" PRIu64
	       " times somebody acted on the first life, and %" PRIu64 " schedules had later ones\n",
		total.schedules, total.cut, total.accesses, actions, reborn);
	assert_true(actions > 0 && reborn > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
