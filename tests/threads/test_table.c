/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of transactions and its slabs under real threads: all of them insert, find and remove the same few keys in
 * the same few buckets, and slots come back through call_rcu and are used again. Whoever finds an item reads all of it;
 * items are overwritten when their grace period is over.
 */
#include "grace.h"

#include "transaction/slab.h"
#include "transaction/table.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <urcu/arch.h>
#include <cmocka.h>

#define THREADS THREADS_MAX
#define KEYS 28u /* in three buckets of six entries: some always wait in the list */
#define ROUNDS 1000u
#define STORM 100000u /* acts of each thread */
#define SLOTS 8192u
#define SPOILT UINT64_C(0xdbdbdbdbdbdbdbdb)

struct item {
	struct bp_slot slot;
	struct bp_table_node node;
	uint64_t key, serial;
	uint64_t sum; /* of the two */
} __attribute__((aligned(64)));

struct thread {
	pthread_t id;
	unsigned number;
	struct bp_memory_home *home;
	struct bp_counters counters;
	uint64_t random, serial;
	unsigned won[KEYS], removed[KEYS]; /* in the storm */
	uint64_t finds;
	const char *wrong;
};

static struct bp_memory *memory;
static struct bp_table *table;
static struct thread threads[THREADS];
static _Atomic unsigned winners[2][KEYS]; /* of the round, and of the next */
static _Atomic unsigned removers[2][KEYS];
static struct item *items;

static void
id_of(unsigned key, uint64_t id[2])
{
	uint64_t bucket = key % 3, tag = key / 2; /* pairs of keys have one tag, and are told apart by the rest */

	id[0] = (bucket * 0x55555556u) << 32 | tag;
	id[1] = key;
}

static uint64_t
sum_of(const struct item *item)
{
	return item->key * 31 + item->serial;
}

static void
spoil(const struct bp_batch *batch)
{
	for (uint32_t place = batch->first; place != 0;) {
		struct item *item = (struct item *)((uint8_t *)items + (size_t)(place - 1) * 32);

		place = item->slot.next;
		item->key = item->serial = item->sum = SPOILT;
	}
}

static void
setup_memory(void)
{
	struct bp_memory_options slabs = {.workers = THREADS,
		.slots = {SLOTS, 4, 4},
		.slot_size = {sizeof(struct item), 128, 4096},
		.kept_bytes = 4096};
	struct bp_table_options options = {.entries = 8, .node_offset = offsetof(struct item, node)};

	assert_int_equal(bp_memory_create(&memory, &slabs), 0);
	options.slots = bp_pool_slots(memory, BP_POOL_RECORD, &options.slot_size);
	items = options.slots; /* the first pool begins where places are counted from */
	assert_int_equal(bp_table_create(&table, &options), 0);
	memset(threads, 0, sizeof(threads));
	memset(winners, 0, sizeof(winners));
	memset(removers, 0, sizeof(removers));
	grace_begin(spoil);
	for (uint16_t i = 0; i < THREADS; i++) {
		threads[i].number = i;
		threads[i].random = i;
		threads[i].home = bp_memory_home(memory, i, grace_defer, NULL, &threads[i].counters);
	}
}

static struct item *
make_item(struct thread *thread, unsigned key)
{
	struct item *item;

	while ((item = (struct item *)bp_slot_take(thread->home, BP_POOL_RECORD)) == NULL) {
		bp_memory_flush(thread->home); /* all are on their way home; the caller holds none */
		grace_quiescent(thread->number);
		sched_yield();
	}
	id_of(key, item->node.id);
	item->key = key;
	item->serial = (uint64_t)thread->number << 32 | thread->serial++;
	item->sum = sum_of(item);
	return item;
}

static struct item *
item_of(struct bp_table_node *node)
{
	return node ? caa_container_of(node, struct item, node) : NULL;
}

static void
check_item(struct thread *thread, const struct item *item, unsigned key)
{
	if (item->key != key || item->sum != sum_of(item))
		thread->wrong = "an item that was found is not what was inserted";
	thread->finds++;
}

static struct item *
find(struct thread *thread, unsigned key)
{
	struct item *item;
	uint64_t id[2];

	id_of(key, id);
	item = item_of(bp_table_find(table, id, NULL, NULL));
	if (item != NULL)
		check_item(thread, item, key);
	return item;
}

/* True: ours is in the table. */
static bool
add(struct thread *thread, unsigned key)
{
	struct item *item = make_item(thread, key);
	struct item *first = item_of(bp_table_add(table, &item->node, NULL, NULL));

	if (first == item)
		return true;
	check_item(thread, first, key);
	bp_slot_return(thread->home, &item->slot);
	return false;
}

static bool
take_out(struct thread *thread, unsigned key)
{
	struct item *item = find(thread, key);

	if (item == NULL || !bp_table_remove(table, &item->node))
		return false;
	bp_slot_retire(thread->home, &item->slot);
	return true;
}

static void
note(_Atomic unsigned *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Of all that tried one was first. Whoever comes first to it looks; the next round's is set to 0 by thread 0. */
static void
check_one(struct thread *thread, _Atomic unsigned counters[2][KEYS], unsigned round, const char *wrong)
{
	for (unsigned key = 0; key < KEYS; key++) {
		if (atomic_load_explicit(&counters[round & 1][key], memory_order_relaxed) != 1)
			thread->wrong = wrong;
		if (thread->number == 0)
			atomic_store_explicit(&counters[~round & 1][key], 0, memory_order_relaxed);
	}
	grace_meet(thread->number, THREADS);
}

/* All insert the same keys, each in an order of its own; then all take them out. */
static void *
rounds(void *argument)
{
	struct thread *thread = argument;

	grace_join(thread->number);
	for (unsigned round = 0; round < ROUNDS; round++) {
		grace_meet(thread->number, THREADS);
		for (unsigned i = 0; i < KEYS; i++) {
			unsigned key = (i * 5 + round * thread->number) % KEYS;

			if (add(thread, key))
				note(&winners[round & 1][key]);
		}
		grace_quiescent(thread->number);
		grace_meet(thread->number, THREADS);
		check_one(thread, winners, round, "a key has not exactly one winner");
		for (unsigned key = 0; key < KEYS; key++)
			if (find(thread, key) == NULL)
				thread->wrong = "a key that was inserted is not found";
		grace_quiescent(thread->number);
		grace_meet(thread->number, THREADS);
		for (unsigned i = 0; i < KEYS; i++) {
			unsigned key = (i * 3 + round * thread->number) % KEYS;

			if (take_out(thread, key))
				note(&removers[round & 1][key]);
		}
		grace_quiescent(thread->number);
		grace_meet(thread->number, THREADS);
		check_one(thread, removers, round, "a key was not taken out exactly once");
		for (unsigned key = 0; key < KEYS; key++)
			if (find(thread, key) != NULL)
				thread->wrong = "a key that was taken out is found";
		grace_meet(thread->number, THREADS);
		bp_memory_flush(thread->home);
		grace_quiescent(thread->number);
	}
	grace_leave(thread->number);
	return NULL;
}

/* Each does what it likes. */
static void *
storm(void *argument)
{
	struct thread *thread = argument;

	grace_join(thread->number);
	grace_meet(thread->number, THREADS);
	for (unsigned i = 0; i < STORM; i++) {
		unsigned key = random_below(&thread->random, KEYS);

		switch (random_below(&thread->random, 4)) {
		case 0:
			thread->won[key] += add(thread, key);
			break;
		case 1:
			thread->removed[key] += take_out(thread, key);
			break;
		default:
			find(thread, key);
		}
		if (i % 16 == 0)
			grace_quiescent(thread->number);
		if (i % 256 == 0)
			bp_memory_flush(thread->home);
	}
	grace_leave(thread->number);
	return NULL;
}

static void
run(void *(*work)(void *))
{
	setup_memory();
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i].id, NULL, work, &threads[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		if (threads[i].wrong != NULL)
			fail_msg("thread %u: %s", i, threads[i].wrong);
}

/* All slots are there, each once. */
static void
check_slots(unsigned in_table)
{
	static bool seen[SLOTS];
	unsigned count = 0, carved = SLOTS - bp_pool_untouched(memory, BP_POOL_RECORD);
	struct bp_slot *slot;

	for (unsigned round = 0; round < 2; round++) { /* a batch that found no other stays open once */
		for (unsigned i = 0; i < THREADS; i++)
			bp_memory_flush(threads[i].home);
		grace_settle();
	}
	grace_end();
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < THREADS; i++)
		while ((slot = bp_slot_take(threads[i].home, BP_POOL_RECORD)) != NULL) {
			uint32_t index = bp_slot_index(memory, slot);

			assert_in_range(index, 0, SLOTS - 1);
			assert_false(seen[index]);
			seen[index] = true;
			count++;
		}
	assert_int_equal(count + in_table, SLOTS);
	print_message("%u of %u slots were ever used\n", carved, SLOTS);
	bp_table_free(table);
	bp_memory_free(memory);
}

static void
one_winner_for_each_key(void **state)
{
	run(rounds);
	check_slots(0);
}

static void
everything_at_once(void **state)
{
	unsigned in_table = 0;
	uint64_t finds = 0;

	run(storm);
	rcu_register_thread();
	for (unsigned key = 0; key < KEYS; key++) {
		unsigned won = 0, removed = 0;
		bool there = find(&threads[0], key) != NULL;

		for (unsigned i = 0; i < THREADS; i++) {
			won += threads[i].won[key];
			removed += threads[i].removed[key];
		}
		assert_int_equal(won - removed, there);
		assert_true(won > 100);
		in_table += there;
	}
	rcu_unregister_thread();
	for (unsigned i = 0; i < THREADS; i++)
		finds += threads[i].finds;
	print_message("%llu items found and read\n", (unsigned long long)finds);
	check_slots(in_table);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_winner_for_each_key),
		cmocka_unit_test(everything_at_once),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
