/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers: each comes at its deadline and once, in order, whatever FIFO it waits in.
 */
#include "pools.h"

#include <stdlib.h>

static const struct bp_config_timers rfc = {
	.t1_us = 500000, .t2_us = 4000000, .t4_us = 5000000, .c_us = 180000000, .d_us = 32000000};

static void
test_due_at_the_deadline_not_before(void **state)
{
	struct bp_timer_entry entry = {.index = 7}, out;
	struct bp_timers timers;
	struct pools pools;

	pools_create(&pools, 1, 64, 0);
	bp_timers_begin(&timers, pools.homes[0], &rfc);
	assert_int_equal(bp_timer_next(&timers), UINT64_MAX);
	assert_true(bp_timer_arm(&timers, BP_DURATION_T1, entry, 1000));
	assert_int_equal(bp_timer_next(&timers), 501000);
	assert_false(bp_timer_pop(&timers, 500999, &out));
	assert_true(bp_timer_pop(&timers, 501000, &out));
	assert_int_equal(out.index, 7);
	assert_false(bp_timer_pop(&timers, UINT64_MAX - 1, &out));
	bp_memory_free(pools.memory);
}

/* Thousands of entries of all durations come out sorted by deadline, each once, and the chunks go home. */
static void
test_all_come_in_order(void **state)
{
	enum { COUNT = 20000 };
	static bool seen[COUNT];
	struct bp_timer_entry out;
	struct bp_timers timers;
	struct pools pools;
	uint64_t last = 0;

	pools_create(&pools, 1, 2 * COUNT / BP_TIMER_CHUNK_ENTRIES + 32, 0);
	bp_timers_begin(&timers, pools.homes[0], &rfc);
	srandom(1);
	for (int round = 0; round < 3; round++) {
		uint64_t now = last;

		memset(seen, 0, sizeof(seen));
		for (uint32_t i = 0; i < COUNT; i++) {
			struct bp_timer_entry entry = {.index = i};

			now += (uint64_t)(random() % 1000);
			assert_true(bp_timer_arm(&timers, (unsigned)random() % BP_DURATION_COUNT, entry, now));
		}
		assert_int_equal(timers.armed, COUNT);
		for (uint32_t i = 0; i < COUNT; i++) {
			assert_true(bp_timer_pop(&timers, UINT64_MAX - 1, &out));
			assert_true(out.deadline_us >= last);
			assert_false(seen[out.index]);
			seen[out.index] = true;
			last = out.deadline_us;
		}
		assert_false(bp_timer_pop(&timers, UINT64_MAX - 1, &out));
	}
	bp_memory_free(pools.memory);
}

/* A deadline that is no constant is reached in hops, and hit within T1. */
static void
test_hops_reach_any_deadline(void **state)
{
	static const uint64_t after[] = {0, 1, 499999, 500000, 3700000, 180000000, 43200000000};
	struct bp_timer_entry out;
	struct bp_timers timers;
	struct pools pools;

	pools_create(&pools, 1, 64, 0);
	bp_timers_begin(&timers, pools.homes[0], &rfc);
	for (unsigned i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		uint64_t deadline = 1000 + after[i], now = 1000;

		assert_true(bp_timer_arm_hop(&timers, deadline, (struct bp_timer_entry){0}, now));
		for (;;) {
			now = bp_timer_next(&timers);
			assert_true(bp_timer_pop(&timers, now, &out));
			if (now >= deadline)
				break;
			assert_true(bp_timer_arm_hop(&timers, deadline, out, now));
		}
		assert_in_range(now - deadline, 0, rfc.t1_us);
	}
	bp_memory_free(pools.memory);
}

/* 17.1.1.2: A doubles without end; 17.1.2.2: E doubles up to T2. */
static void
test_doubling(void **state)
{
	struct bp_timers timers;
	struct pools pools;

	pools_create(&pools, 1, 64, 0);
	bp_timers_begin(&timers, pools.homes[0], &rfc);
	for (unsigned step = 0; step <= 6; step++)
		assert_int_equal(timers.duration_us[bp_timer_doubled(&timers, step, false)], rfc.t1_us << step);
	for (unsigned step = 0; step < 12; step++) {
		uint64_t expected = step < 3 ? rfc.t1_us << step : rfc.t2_us;

		assert_int_equal(timers.duration_us[bp_timer_doubled(&timers, step, true)], expected);
	}
	bp_memory_free(pools.memory);
}

static void
test_says_so_when_memory_is_out(void **state)
{
	struct bp_timers timers;
	struct pools pools;
	unsigned armed = 0;

	pools_create(&pools, 1, 1, 0);
	bp_timers_begin(&timers, pools.homes[0], &rfc);
	while (bp_timer_arm(&timers, BP_DURATION_T1, (struct bp_timer_entry){0}, 0))
		armed++;
	assert_int_equal(armed, BP_TIMER_CHUNK_ENTRIES);
	bp_memory_free(pools.memory);
}

/* What runs already finds memory out of a dry pool; nothing new may begin until the stock is full again. */
static void
test_stock_outlasts_a_dry_pool(void **state)
{
	struct bp_timer_entry entry = {.index = 1}, out;
	struct bp_timers timers;
	struct pools pools;
	unsigned count = 0;

	pools_create(&pools, 1, 64, 0);
	atomic_store(bp_memory_timer_credit(pools.homes[0]), 1000);
	bp_timers_begin(&timers, pools.homes[0], &rfc);
	assert_true(bp_timers_fill(&timers));
	while (bp_slot_take(pools.homes[0], BP_POOL_TIMER) != NULL)
		count++;
	assert_int_equal(count, 64 - BP_TIMER_STOCK);
	assert_true(bp_timers_promise(&timers, 12));
	for (unsigned i = 0; i < BP_DURATION_COUNT; i++)
		for (unsigned j = 0; j < BP_TIMER_CHUNK_ENTRIES; j++)
			assert_true(bp_timer_arm(&timers, i, entry, 0));
	assert_false(bp_timers_promise(&timers, 12));
	assert_false(bp_timer_arm(&timers, BP_DURATION_T1, entry, 0));
	for (unsigned i = 0; i < BP_DURATION_COUNT * BP_TIMER_CHUNK_ENTRIES; i++)
		assert_true(bp_timer_pop(&timers, UINT64_MAX - 1, &out)); /* its chunks fill the stock again */
	assert_true(bp_timers_promise(&timers, 12));
	assert_true(bp_timer_arm(&timers, BP_DURATION_T1, entry, 0));
	bp_memory_free(pools.memory);
}

/* No more is promised than there is, by all workers together; what one redeems another may promise. */
static void
test_promises_are_kept(void **state)
{
	enum { ALL = 3000, RECORD = 12 };
	unsigned promised[2] = {0}, sum;
	struct bp_timers timers[2];
	struct pools pools;

	pools_create(&pools, 1, 64, 0);
	atomic_store(bp_memory_timer_credit(pools.homes[0]), ALL);
	for (int i = 0; i < 2; i++)
		bp_timers_begin(&timers[i], pools.homes[i], &rfc);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2; i++)
			while (bp_timers_promise(&timers[i], RECORD) && promised[i] < 2 * ALL)
				promised[i] += RECORD;
		sum = promised[0] + promised[1];
		assert_in_range(sum, ALL - 2 * BP_TIMER_CREDIT_IDLE - 2 * RECORD, ALL);
		assert_int_equal(sum + timers[0].credit + timers[1].credit +
				atomic_load(bp_memory_timer_credit(pools.homes[0])),
			ALL);
		while (promised[0] > 0) { /* records end on another worker than the one that made them */
			bp_timers_redeem(&timers[1], RECORD);
			promised[0] -= RECORD;
		}
		assert_true(timers[1].credit <= BP_TIMER_CREDIT_IDLE);
	}
	bp_memory_free(pools.memory);
}

/* ---- records of the shortest lives, workers that are held up ---- */

#define LIVES 512u
#define PARTIES 2u

struct life {
	uint32_t generation; /* odd: it is */
	unsigned waiting;
};

struct crowd {
	struct pools pools;
	struct bp_timers timers[PARTIES];
	struct life lives[LIVES];
	unsigned living;
	uint64_t now_us, refused, armed;
};

static void
crowd_create(struct crowd *crowd)
{
	uint64_t credit = bp_timers_credit(LIVES, 0, PARTIES);

	memset(crowd, 0, sizeof(*crowd));
	pools_create(&crowd->pools, LIVES, bp_timers_chunks(credit, 0, PARTIES), 0);
	atomic_store(bp_memory_timer_credit(crowd->pools.homes[0]), (int64_t)credit);
	for (unsigned i = 0; i < PARTIES; i++)
		bp_timers_begin(&crowd->timers[i], crowd->pools.homes[i], &rfc);
}

static struct bp_timers *
anybody(struct crowd *crowd)
{
	return &crowd->timers[random() % PARTIES];
}

static void
begin_life(struct crowd *crowd, struct life *life)
{
	if ((life->generation & 1) != 0)
		return;
	if (!bp_timers_promise(anybody(crowd), BP_TIMERS_OF_RECORD)) {
		crowd->refused++;
		return;
	}
	life->generation++;
	life->waiting = 0;
	crowd->living++;
}

static void
end_life(struct crowd *crowd, struct life *life)
{
	if ((life->generation & 1) == 0)
		return;
	life->generation++;
	crowd->living--;
	bp_timers_redeem(anybody(crowd), BP_TIMERS_OF_RECORD);
}

/* Whoever runs finds room, for as much as was promised. */
static void
arm_of_life(struct crowd *crowd, struct life *life, unsigned duration)
{
	struct bp_timer_entry entry = {.index = (uint32_t)(life - crowd->lives), .generation = life->generation};

	if ((life->generation & 1) == 0 || life->waiting == BP_TIMERS_OF_RECORD)
		return;
	life->waiting++;
	crowd->armed++;
	assert_true(bp_timer_arm(anybody(crowd), duration, entry, crowd->now_us));
}

static void
expire(struct crowd *crowd, struct bp_timers *timers)
{
	struct bp_timer_entry entry;

	while (bp_timer_pop(timers, crowd->now_us, &entry))
		if (crowd->lives[entry.index].generation == entry.generation)
			crowd->lives[entry.index].waiting--;
}

/* As at the end of a burst. */
static void
flush(struct crowd *crowd)
{
	for (unsigned i = 0; i < PARTIES; i++)
		bp_memory_flush(crowd->pools.homes[i]);
}

/* All is over: everything may be promised again. */
static void
crowd_end(struct crowd *crowd)
{
	int64_t credit = 0;

	for (unsigned i = 0; i < LIVES; i++)
		end_life(crowd, &crowd->lives[i]);
	crowd->now_us += 64 * rfc.t1_us;
	for (unsigned i = 0; i < PARTIES; i++) {
		expire(crowd, &crowd->timers[i]);
		assert_int_equal(crowd->timers[i].armed, 0);
		credit += crowd->timers[i].credit;
	}
	credit += atomic_load(bp_memory_timer_credit(crowd->pools.homes[0]));
	assert_int_equal(credit, bp_timers_credit(LIVES, 0, PARTIES));
	bp_memory_free(crowd->pools.memory);
}

static void
arm_all_of_life(struct crowd *crowd, struct life *life)
{
	for (unsigned i = 0; i < BP_TIMERS_OF_RECORD; i++)
		arm_of_life(crowd, life, i % BP_DURATION_COUNT);
}

/* Next to nearly all that there can be one record after the other arms all it may and is over at once, while no timer
 * ever comes up: in the end there is no new one, and those that wait all the time find room for theirs. */
static void
test_the_dead_leave_room(void **state)
{
	static struct crowd crowd;

	crowd_create(&crowd);
	srandom(1);
	for (unsigned i = 1; i < LIVES; i++)
		begin_life(&crowd, &crowd.lives[i]);
	assert_int_equal(crowd.living, LIVES - 1);
	for (unsigned i = 0; i < 100000; i++) {
		begin_life(&crowd, &crowd.lives[0]);
		arm_all_of_life(&crowd, &crowd.lives[0]);
		end_life(&crowd, &crowd.lives[0]);
		flush(&crowd);
	}
	assert_in_range(crowd.refused, 1, 99999);
	for (unsigned i = 1; i < LIVES; i++)
		arm_all_of_life(&crowd, &crowd.lives[i]);
	crowd_end(&crowd);
}

/* All that there can be live, with ordinary timers; then they arm what else they may. */
static void
test_all_may_live(void **state)
{
	static struct crowd crowd;

	crowd_create(&crowd);
	srandom(2);
	for (unsigned i = 0; i < LIVES; i++) {
		begin_life(&crowd, &crowd.lives[i]);
		for (unsigned j = 0; j < BP_TIMERS_WAITING; j++)
			arm_of_life(&crowd, &crowd.lives[i], BP_DURATION_64T1);
		flush(&crowd);
	}
	assert_int_equal(crowd.living, LIVES);
	for (unsigned i = 0; i < LIVES; i++)
		arm_all_of_life(&crowd, &crowd.lives[i]);
	crowd_end(&crowd);
}

/* Anything, in any order; one worker looks at its timers far too late. */
static void
test_any_lives(void **state)
{
	static struct crowd crowd;

	crowd_create(&crowd);
	srandom(3);
	for (unsigned i = 0; i < 400000; i++) {
		struct life *life = &crowd.lives[random() % LIVES];
		unsigned what = (unsigned)random() % 100;

		if (what < 20)
			begin_life(&crowd, life);
		else if (what < 35)
			end_life(&crowd, life);
		else if (what < 95)
			arm_of_life(&crowd, life, (unsigned)random() % BP_DURATION_COUNT);
		else
			crowd.now_us += 20000;
		expire(&crowd, &crowd.timers[0]);
		if (i % 20000 == 0)
			expire(&crowd, &crowd.timers[1]);
		flush(&crowd);
	}
	assert_in_range(crowd.refused, 1, 400000);
	assert_in_range(crowd.armed, 10 * BP_TIMERS_OF_RECORD * LIVES, UINT64_MAX);
	crowd_end(&crowd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due_at_the_deadline_not_before),
		cmocka_unit_test(test_all_come_in_order),
		cmocka_unit_test(test_hops_reach_any_deadline),
		cmocka_unit_test(test_doubling),
		cmocka_unit_test(test_says_so_when_memory_is_out),
		cmocka_unit_test(test_stock_outlasts_a_dry_pool),
		cmocka_unit_test(test_promises_are_kept),
		cmocka_unit_test(test_the_dead_leave_room),
		cmocka_unit_test(test_all_may_live),
		cmocka_unit_test(test_any_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
