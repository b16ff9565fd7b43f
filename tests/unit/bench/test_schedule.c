/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The schedule: calls are intended at a constant rate, exactly, and who stops for a while finds the intended times
 * of the calls that should have begun meanwhile: no coordinated omission.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "generator/schedule.h"

static void
rate_is_kept_exactly(void **state)
{
	static const double rates[] = {1, 3, 7, 1000, 123457, 1e6, 3e6};

	for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct schedule schedule;
		uint64_t intended, count = 0, end = 2600000000;

		schedule_set(&schedule, rates[i], 2.6e9, 0);
		while (schedule_due(&schedule, end - 1, &intended))
			count++;
		assert_true(count == (uint64_t)rates[i] || count == (uint64_t)rates[i] + 1);
	}
}

static void
pause_leaves_no_call_out(void **state)
{
	struct schedule schedule;
	uint64_t intended, late = 0;

	schedule_set(&schedule, 100, 1e6, 0); /* every 10,000 cycles */
	for (uint64_t i = 0; i < 10; i++) {
		assert_true(schedule_due(&schedule, i * 10000, &intended));
		assert_int_equal(intended, i * 10000);
		assert_false(schedule_due(&schedule, i * 10000, &intended));
	}
	/* nobody looks for a second: a hundred calls are due, each with its own time */
	for (uint64_t i = 10; i < 110; i++) {
		assert_true(schedule_due(&schedule, 1090000, &intended));
		assert_int_equal(intended, i * 10000);
		late += 1090000 - intended;
	}
	assert_false(schedule_due(&schedule, 1090000, &intended));
	assert_int_equal(late, 10000 * (99 * 100 / 2));
}

static void
nothing_is_due_at_rate_zero(void **state)
{
	struct schedule schedule;
	uint64_t intended;

	schedule_set(&schedule, 0, 2.6e9, 0);
	assert_false(schedule_due(&schedule, UINT64_MAX, &intended));
	schedule_set(&schedule, INFINITY, 2.6e9, 0);
	assert_true(schedule.closed);
	assert_false(schedule_due(&schedule, UINT64_MAX, &intended));
}

static void
new_rate_begins_now(void **state)
{
	struct schedule schedule;
	uint64_t intended;

	schedule_set(&schedule, 1000, 1e6, 0);
	schedule_set(&schedule, 500, 1e6, 70000);
	assert_true(schedule_due(&schedule, 80000, &intended));
	assert_int_equal(intended, 70000);
	assert_true(schedule_due(&schedule, 80000, &intended));
	assert_int_equal(intended, 72000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_is_kept_exactly),
		cmocka_unit_test(pause_leaves_no_call_out),
		cmocka_unit_test(nothing_is_due_at_rate_zero),
		cmocka_unit_test(new_rate_begins_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
