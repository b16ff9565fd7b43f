/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The timers: whatever is inserted comes up, by hops if must be, not before its time and not much after it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "generator/timers.h"

#define COUNT 1000
#define HZ 2.6e9

static struct call calls[COUNT];
static struct timers timers;

static uint32_t
ticks(double seconds)
{
	return (uint32_t)(seconds * HZ / (1 << TIMERS_TICK_BITS));
}

static void
begin(void)
{
	static const double durations[] = {0.5, 1, 2, 4, 32};

	memset(calls, 0, sizeof(calls));
	timers_begin(&timers, calls, HZ, durations, 5);
}

static void
all_come_up_when_they_are_due(void **state)
{
	uint64_t random = 7;
	uint32_t now = UINT32_MAX - ticks(20); /* over the wrap */
	unsigned done = 0;

	begin();
	for (unsigned i = 0; i < COUNT; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		calls[i].act_due = now + (uint32_t)(random >> 33) % ticks(60);
		timers_arm(&timers, &calls[i], now, calls[i].act_due);
	}
	for (uint32_t step = 0; step < ticks(61); step += 10, now += 10) {
		struct call *call;

		while ((call = timers_pop(&timers, now)) != NULL) {
			if ((int32_t)(now - call->act_due) < 0) {
				timers_arm(&timers, call, now, call->act_due);
				continue;
			}
			assert_true(now - call->act_due <= ticks(0.002));
			assert_false(call->flags & CALL_TIMED);
			done++;
		}
	}
	assert_int_equal(done, COUNT);
	assert_false(timers.any);
}

static void
exact_durations_come_up_at_once(void **state)
{
	begin();
	timers_arm(&timers, &calls[0], 1000, 1000 + ticks(0.5));
	assert_null(timers_pop(&timers, 1000 + ticks(0.5) - 1));
	assert_ptr_equal(timers_pop(&timers, 1000 + ticks(0.5)), &calls[0]);
	assert_null(timers_pop(&timers, 1000 + ticks(0.5)));
}

static void
earlier_deadline_moves_the_entry(void **state)
{
	begin();
	timers_arm(&timers, &calls[0], 1000, 1000 + ticks(32));
	timers_arm(&timers, &calls[1], 1000, 1000 + ticks(32));
	timers_arm(&timers, &calls[2], 1000, 1000 + ticks(32));
	timers_arm(&timers, &calls[1], 1000, 1000 + ticks(1));
	assert_ptr_equal(timers_pop(&timers, 1000 + ticks(1)), &calls[1]);
	assert_null(timers_pop(&timers, 1000 + ticks(1)));
	assert_ptr_equal(timers_pop(&timers, 1000 + ticks(32)), &calls[0]);
	assert_ptr_equal(timers_pop(&timers, 1000 + ticks(32)), &calls[2]);
	assert_null(timers_pop(&timers, 1000 + ticks(32)));
}

static void
later_deadline_leaves_the_entry(void **state)
{
	begin();
	timers_arm(&timers, &calls[0], 1000, 1000 + ticks(0.5));
	timers_arm(&timers, &calls[0], 1000, 1000 + ticks(4));
	assert_ptr_equal(timers_pop(&timers, 1000 + ticks(0.5)), &calls[0]);
	assert_null(timers_pop(&timers, 1000 + ticks(4)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_come_up_when_they_are_due),
		cmocka_unit_test(exact_durations_come_up_at_once),
		cmocka_unit_test(earlier_deadline_moves_the_entry),
		cmocka_unit_test(later_deadline_leaves_the_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
