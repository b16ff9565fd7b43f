/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pools: taking until dry, coming back, waiting for the grace period, crossing workers.
 */
#include "pools.h"

#include <errno.h>

static void
test_gives_each_slot_once_then_runs_dry(void **state)
{
	unsigned dry[2] = {0};
	bool seen[100] = {false};
	struct pools pools;
	uint32_t index;

	pools_create(&pools, 100, 4, 0);
	for (int i = 0; i < 100; i++) {
		struct bp_slot *slot = bp_slot_take(pools.homes[i & 1], BP_POOL_RECORD);

		if (slot == NULL) { /* what the other worker carved stays with it */
			assert_int_equal(bp_pool_untouched(pools.memory, BP_POOL_RECORD), 0);
			assert_int_equal(pools.counters[i & 1].pool_dry[BP_POOL_KIND_record], ++dry[i & 1]);
			continue;
		}
		index = bp_slot_index(pools.memory, slot);
		assert_in_range(index, 0, 99);
		assert_false(seen[index]);
		assert_ptr_equal(bp_slot_at(pools.memory, BP_POOL_RECORD, index), slot);
		seen[index] = true;
	}
	assert_null(bp_slot_at(pools.memory, BP_POOL_RECORD, 100));
	bp_memory_free(pools.memory);
}

static void
test_retired_slot_returns_only_after_release(void **state)
{
	struct bp_slot *slot;
	struct pools pools;

	pools_create(&pools, 1, 4, 0);
	slot = bp_slot_take(pools.homes[0], BP_POOL_RECORD);
	assert_non_null(slot);
	bp_slot_retire(pools.homes[0], slot);
	assert_null(bp_slot_take(pools.homes[0], BP_POOL_RECORD));
	bp_memory_flush(pools.homes[0]);
	assert_int_equal(pools.batch_count, 1);
	assert_null(bp_slot_take(pools.homes[0], BP_POOL_RECORD));
	pools_release(&pools);
	assert_ptr_equal(bp_slot_take(pools.homes[0], BP_POOL_RECORD), slot);
	bp_memory_free(pools.memory);
}

static void
test_slot_retired_elsewhere_goes_home(void **state)
{
	struct bp_slot *slot;
	struct pools pools;

	pools_create(&pools, 1, 4, 0);
	slot = bp_slot_take(pools.homes[0], BP_POOL_RECORD);
	bp_slot_retire(pools.homes[1], slot);
	bp_memory_flush(pools.homes[1]);
	pools_release(&pools);
	assert_int_equal(slot->owner, 0);
	assert_ptr_equal(bp_slot_take(pools.homes[0], BP_POOL_RECORD), slot);
	bp_memory_free(pools.memory);
}

static void
test_dry_worker_takes_over_what_came_back_to_another(void **state)
{
	struct bp_slot *slot;
	struct pools pools;

	pools_create(&pools, 1, 4, 0);
	slot = bp_slot_take(pools.homes[0], BP_POOL_RECORD);
	bp_slot_retire(pools.homes[0], slot);
	bp_memory_flush(pools.homes[0]);
	pools_release(&pools);
	assert_ptr_equal(bp_slot_take(pools.homes[1], BP_POOL_RECORD), slot);
	bp_memory_free(pools.memory);
}

/* No batch at hand: the open one grows instead of losing a slot. */
static void
test_many_retired_without_release_are_all_found_again(void **state)
{
	enum { MANY = 4000 };
	struct pools pools;
	unsigned again = 0;

	pools_create(&pools, MANY, 4, 0);
	for (int i = 0; i < MANY; i++)
		bp_slot_retire(pools.homes[0], bp_slot_take(pools.homes[0], BP_POOL_RECORD));
	pools_release(&pools);
	bp_memory_flush(pools.homes[0]);
	pools_release(&pools);
	while (bp_slot_take(pools.homes[0], BP_POOL_RECORD) != NULL)
		again++;
	assert_int_equal(again, MANY);
	bp_memory_free(pools.memory);
}

static void
test_kept_memory_has_room_for_every_size(void **state)
{
	static const uint32_t sizes[] = {0, 1, 512, 513, 4096, 40000, 65535};
	struct pools pools;

	pools_create(&pools, 1, 4, 8 << 20);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bp_kept *kept = bp_kept_take(pools.homes[0], sizes[i]), *next;

		assert_non_null(kept);
		next = bp_kept_take(pools.homes[0], sizes[i]);
		assert_non_null(next);
		memset(kept->bytes, 0xaa, sizes[i]);
		memset(next->bytes, 0x55, sizes[i]);
		for (uint32_t j = 0; j < sizes[i]; j++)
			assert_int_equal(kept->bytes[j], 0xaa);
		bp_slot_return(pools.homes[0], &kept->slot);
		assert_ptr_equal(bp_kept_take(pools.homes[0], sizes[i]), kept);
	}
	assert_null(bp_kept_take(pools.homes[0], 65536));
	bp_memory_free(pools.memory);
}

static void
test_kept_memory_runs_dry_and_recovers(void **state)
{
	struct bp_kept *kept, *last = NULL;
	struct pools pools;
	unsigned count = 0;

	pools_create(&pools, 1, 4, 1 << 20);
	while ((kept = bp_kept_take(pools.homes[0], 1000)) != NULL) {
		last = kept;
		count++;
	}
	assert_in_range(count, 900, 1 << 10);
	assert_int_equal(pools.counters[0].pool_dry[BP_POOL_KIND_kept], 1); /* though all larger classes were asked */
	bp_slot_retire(pools.homes[0], &last->slot);
	bp_memory_flush(pools.homes[0]);
	pools_release(&pools);
	assert_ptr_equal(bp_kept_take(pools.homes[0], 1000), last);
	bp_memory_free(pools.memory);
}

/* Free slots that lie with one worker reach another that runs dry, at the former's next flush. */
static void
test_hungry_worker_is_fed(void **state)
{
	struct bp_slot *slots[32];
	struct pools pools;

	pools_create(&pools, 32, 4, 0);
	for (int i = 0; i < 32; i++)
		slots[i] = bp_slot_take(pools.homes[0], BP_POOL_RECORD);
	for (int i = 0; i < 32; i++)
		bp_slot_return(pools.homes[0], slots[i]);
	assert_null(bp_slot_take(pools.homes[1], BP_POOL_RECORD));
	bp_memory_flush(pools.homes[0]);
	for (int i = 0; i < 32; i++)
		assert_non_null(bp_slot_take(pools.homes[1], BP_POOL_RECORD));
	bp_memory_free(pools.memory);
}

static void
test_refuses_more_than_places_can_name(void **state)
{
	struct bp_memory_options options = {
		.workers = 1, .slots = {1, 1, 1}, .slot_size = {128, 128, 4096}, .kept_bytes = UINT64_C(140) << 30};
	struct bp_memory *memory = NULL;

	assert_int_equal(bp_memory_create(&memory, &options), -E2BIG);
	assert_null(memory);
}

static unsigned
take_all(struct pools *pools, struct bp_slot **blocks, unsigned most, size_t size)
{
	unsigned count = 0;

	while (count < most && (blocks[count] = bp_block_take(pools->homes[0], size)) != NULL)
		count++;
	return count;
}

static void
give_back(struct pools *pools, struct bp_slot **blocks, unsigned count, unsigned keep_each)
{
	for (unsigned i = 0; i < count; i++) {
		if (keep_each != 0 && i % keep_each == 0)
			continue;
		bp_slot_retire(pools->homes[i & 1], blocks[i]);
		if (pools->batch_count > 30)
			pools_release(pools);
	}
	for (int i = 0; i < 2; i++)
		bp_memory_flush(pools->homes[i]);
	pools_release(pools);
}

#define BLOCKS_MOST 65536
static struct bp_slot *blocks[BLOCKS_MOST];

static void
tick(struct pools *pools, unsigned times)
{
	while (times-- > 0)
		for (int i = 0; i < 2; i++)
			bp_memory_flush(pools->homes[i]);
}

/* After a flood of small blocks, memory serves large ones as if it had never been. */
static void
test_small_blocks_that_came_home_become_large_ones(void **state)
{
	unsigned small, large, before;
	struct pools pools;

	pools_create(&pools, 1, 4, 2 << 20);
	before = take_all(&pools, blocks, BLOCKS_MOST, 1000);
	bp_memory_free(pools.memory);
	pools_create(&pools, 1, 4, 2 << 20);
	small = take_all(&pools, blocks, BLOCKS_MOST, 40);
	assert_true(small > 20000);
	give_back(&pools, blocks, small, 0);
	large = take_all(&pools, blocks, BLOCKS_MOST, 1000);
	tick(&pools, small / 100);
	large += take_all(&pools, blocks + large, BLOCKS_MOST - large, 1000);
	assert_true(large >= before * 9 / 10);
	/* and back again: the first take larger blocks than they need, and that is enough to begin with */
	give_back(&pools, blocks, large, 0);
	small = take_all(&pools, blocks, 300, 40);
	tick(&pools, 100);
	small += take_all(&pools, blocks + small, BLOCKS_MOST - small, 40);
	assert_true(small > 15000);
	bp_memory_free(pools.memory);
}

/* Some small blocks stay in use everywhere: the rest of memory cannot change its class, but not all of it is theirs. */
static void
test_small_blocks_never_take_all(void **state)
{
	unsigned small, huge;
	struct pools pools;

	pools_create(&pools, 1, 4, 2 << 20);
	small = take_all(&pools, blocks, BLOCKS_MOST, 40);
	give_back(&pools, blocks, small, 100);
	assert_true(take_all(&pools, blocks, BLOCKS_MOST, 1000) >= 100);
	huge = take_all(&pools, blocks, BLOCKS_MOST, 60000);
	assert_int_equal(huge, 1);
	tick(&pools, small / 100);
	assert_null(bp_block_take(pools.homes[0], 1000));
	bp_memory_free(pools.memory);
}

static uint32_t
random_of(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)*seed * below >> 32);
}

/* Each block in use keeps what was written to it, whatever searches are under way. */
static void
test_blocks_in_use_stay_whole_while_others_change_class(void **state)
{
	static struct bp_kept *held[4000];
	static uint32_t sizes[4000];
	struct pools pools;
	uint32_t seed = 7;
	unsigned dry = 0, taken = 0;

	pools_create(&pools, 1, 4, 1 << 20);
	memset(held, 0, sizeof(held));
	for (unsigned turn = 0; turn < 200000; turn++) {
		unsigned phase = turn / 20000, i = random_of(&seed, 4000), by = random_of(&seed, 2);

		if (held[i] != NULL) {
			for (uint32_t j = 0; j < sizes[i]; j++)
				assert_int_equal(held[i]->bytes[j], (uint8_t)(i + j));
			bp_slot_retire(pools.homes[by], &held[i]->slot);
			held[i] = NULL;
		} else if (i < (phase & 1 ? 700 : 4000)) {
			sizes[i] = phase & 1 ? 900 + random_of(&seed, 900) : 30 + random_of(&seed, 200);
			held[i] = bp_kept_take(pools.homes[by], sizes[i]);
			dry += held[i] == NULL;
			taken += held[i] != NULL && phase > 1;
			for (uint32_t j = 0; held[i] != NULL && j < sizes[i]; j++)
				held[i]->bytes[j] = (uint8_t)(i + j);
		}
		if (turn % 64 == 0)
			tick(&pools, 1);
		if (turn % 96 == 0)
			pools_release(&pools);
	}
	assert_true(dry > 0);
	assert_true(taken > 20000);
	for (unsigned i = 0; i < 4000; i++)
		bp_slot_return(pools.homes[0], held[i] ? &held[i]->slot : NULL);
	tick(&pools, 1);
	pools_release(&pools);
	assert_int_equal(pools.counters[0].pool_taken_bytes[BP_POOL_KIND_kept] +
			pools.counters[1].pool_taken_bytes[BP_POOL_KIND_kept],
		pools.counters[0].pool_returned_bytes[BP_POOL_KIND_kept] +
			pools.counters[1].pool_returned_bytes[BP_POOL_KIND_kept]);
	bp_memory_free(pools.memory);
}

/* Takes small blocks while their class is being looked through: their chunks must not be given away. */
static void
test_block_taken_during_a_search_keeps_its_chunk(void **state)
{
	struct bp_kept *held[1024];
	struct pools pools;
	unsigned small;

	pools_create(&pools, 1, 4, 1 << 20);
	small = take_all(&pools, blocks, BLOCKS_MOST, 40);
	assert_in_range(small, 10000, 20000);
	for (unsigned i = 0; i < small; i++)
		bp_slot_return(pools.homes[0], blocks[i]);
	take_all(&pools, blocks, BLOCKS_MOST, 1000);
	for (unsigned step = 0; step < 3 * small / 512 + 3; step++) {
		bp_memory_flush(pools.homes[0]);
		for (unsigned i = step * 8; i < step * 8 + 8; i++) {
			held[i] = bp_kept_take(pools.homes[0], 50);
			assert_non_null(held[i]);
			memset(held[i]->bytes, (int)i, 50);
		}
	}
	for (unsigned count = take_all(&pools, blocks, BLOCKS_MOST, 1000); count-- > 0;)
		memset(blocks[count] + 1, 0xee, 1000 - sizeof(struct bp_slot));
	for (unsigned i = 0; i < (3 * small / 512 + 3) * 8; i++)
		for (unsigned j = 0; j < 50; j++)
			assert_int_equal(held[i]->bytes[j], (uint8_t)i);
	bp_memory_free(pools.memory);
}

/* A chunk that one worker gave away says nothing to the next about what is free in it. */
static void
test_chunk_is_counted_anew_by_its_next_owner(void **state)
{
	static struct bp_slot *small[BLOCKS_MOST];
	unsigned large, count = 0, kept = 0;
	struct pools pools;

	pools_create(&pools, 1, 4, 1 << 20);
	large = take_all(&pools, blocks, BLOCKS_MOST, 1000);
	for (unsigned i = 0; i < large; i++)
		bp_slot_return(pools.homes[0], blocks[i]);
	for (int i = 0; i < 20; i++)
		bp_memory_flush(pools.homes[0]); /* all chunks that had come home are free now */
	while ((small[count] = bp_block_take(pools.homes[1], 40)) != NULL)
		count++;
	assert_true(count > 10000);
	for (unsigned i = 0; i < count; i++) { /* sixteen stay in each chunk */
		if (i % 16 == 0) {
			memset(small[i] + 1, 0x77, 32);
			small[kept++] = small[i];
		} else {
			bp_slot_return(pools.homes[1], small[i]);
		}
	}
	for (int i = 0; i < 200; i++)
		bp_memory_flush(pools.homes[1]);
	for (count = take_all(&pools, blocks, BLOCKS_MOST, 1000); count-- > 0;)
		memset(blocks[count] + 1, 0xee, 1000 - sizeof(struct bp_slot));
	for (unsigned i = 0; i < kept; i++)
		for (unsigned j = 0; j < 32; j++)
			assert_int_equal(((uint8_t *)(small[i] + 1))[j], 0x77);
	bp_memory_free(pools.memory);
}

/* Free blocks of a chunk that lie with two workers come together again. */
static void
test_chunk_in_two_workers_hands_comes_home(void **state)
{
	struct pools pools;
	unsigned small, large = 0;

	pools_create(&pools, 1, 4, 1 << 20);
	small = take_all(&pools, blocks, BLOCKS_MOST, 40);
	for (unsigned i = 0; i < small; i++)
		bp_slot_return(pools.homes[i & 1], blocks[i]);
	for (int i = 0; i < 10; i++) {
		large += take_all(&pools, blocks + large, BLOCKS_MOST - large, 1000);
		for (int j = 0; j < 400; j++)
			bp_memory_flush(pools.homes[j / 200]);
	}
	assert_true(large > 700);
	for (unsigned i = 0; i < large; i++)
		memset(blocks[i] + 1, 0xee, 1000 - sizeof(struct bp_slot));
	for (unsigned i = 0; i < 2000; i++) { /* nothing twice */
		struct bp_slot *slot = bp_block_take(pools.homes[i & 1], 40);

		if (slot != NULL)
			memset(slot, 0, 40);
	}
	for (unsigned i = 0; i < large; i++)
		for (unsigned j = 0; j < 1000 - sizeof(struct bp_slot); j++)
			assert_int_equal(((uint8_t *)(blocks[i] + 1))[j], 0xee);
	bp_memory_free(pools.memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_each_slot_once_then_runs_dry),
		cmocka_unit_test(test_retired_slot_returns_only_after_release),
		cmocka_unit_test(test_slot_retired_elsewhere_goes_home),
		cmocka_unit_test(test_dry_worker_takes_over_what_came_back_to_another),
		cmocka_unit_test(test_many_retired_without_release_are_all_found_again),
		cmocka_unit_test(test_kept_memory_has_room_for_every_size),
		cmocka_unit_test(test_kept_memory_runs_dry_and_recovers),
		cmocka_unit_test(test_hungry_worker_is_fed),
		cmocka_unit_test(test_small_blocks_that_came_home_become_large_ones),
		cmocka_unit_test(test_small_blocks_never_take_all),
		cmocka_unit_test(test_blocks_in_use_stay_whole_while_others_change_class),
		cmocka_unit_test(test_block_taken_during_a_search_keeps_its_chunk),
		cmocka_unit_test(test_chunk_is_counted_anew_by_its_next_owner),
		cmocka_unit_test(test_chunk_in_two_workers_hands_comes_home),
		cmocka_unit_test(test_refuses_more_than_places_can_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
