/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ticks to microseconds, against exact arithmetic.
 */
#include "worker/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const uint64_t frequencies[] = {1000001, 24000000, 999999999, 2595123457, 2600000000, 5000000000};

static uint64_t
exact(uint64_t ticks, uint64_t hz)
{
	return (uint64_t)((bp_uint128)ticks * 1000000 / hz);
}

static void
test_exact_to_a_microsecond(void **state)
{
	static const uint64_t ticks[] = {
		0, 1, 999, 2600, 2599999999, 1ull << 40, 1ull << 52, 1ull << 62, INT64_MAX};

	for (unsigned f = 0; f < sizeof(frequencies) / sizeof(frequencies[0]); f++) {
		for (unsigned t = 0; t < sizeof(ticks) / sizeof(ticks[0]); t++) {
			struct bp_clock clock;
			uint64_t us, want = exact(ticks[t], frequencies[f]);

			bp_clock_init(&clock, 12345, frequencies[f]);
			us = bp_clock_us(&clock, 12345 + ticks[t]);
			assert_true(us == want || us == want + 1);
		}
	}
}

static void
test_never_back(void **state)
{
	struct bp_clock clock;
	uint64_t last = 0;

	bp_clock_init(&clock, 77, 2595123457);
	for (uint64_t tsc = 77; tsc < 3000000; tsc += 13) {
		uint64_t us = bp_clock_us(&clock, tsc);

		assert_true(us >= last);
		last = us;
	}
	assert_int_equal(last, exact(3000000 - 77, 2595123457));
}

static void
test_counter_wraps_and_other_cpu_is_behind(void **state)
{
	struct bp_clock clock;

	bp_clock_init(&clock, UINT64_MAX - 999999, 1000000000);
	assert_int_equal(bp_clock_us(&clock, 0), 1000);
	assert_int_equal(bp_clock_us(&clock, 1000000), 2000);
	assert_int_equal(bp_clock_us(&clock, UINT64_MAX - 2000000), 0);
}

static void
test_frequency(void **state)
{
	struct bp_clock_sample from = {.tsc = 1000, .monotonic_ns = 5000};
	struct bp_clock_sample to = {.tsc = 1000 + 259512345, .monotonic_ns = 5000 + 100000000};

	assert_int_equal(bp_clock_frequency(&from, &to, 2600000000), 2595123450);
	assert_int_equal(bp_clock_frequency(&from, &to, 2400000000), 2400000000); /* 8% off: not believed */
	to.monotonic_ns = from.monotonic_ns + 1000;
	assert_int_equal(bp_clock_frequency(&from, &to, 2600000000), 2600000000); /* too short */
	to.monotonic_ns = from.monotonic_ns - 1000;
	assert_int_equal(bp_clock_frequency(&from, &to, 2600000000), 2600000000);
	to = (struct bp_clock_sample){.tsc = 1, .monotonic_ns = 5000 + 100000000};
	assert_int_equal(bp_clock_frequency(&from, &to, 2600000000), 2600000000);
}

static void
test_look(void **state)
{
	struct bp_clock_sample first, second;

	bp_clock_look(&first);
	bp_clock_look(&second);
	assert_true(second.tsc > first.tsc);
	assert_true(second.monotonic_ns > first.monotonic_ns);
	assert_true(first.realtime_us > 1600000000ull * 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_to_a_microsecond),
		cmocka_unit_test(test_never_back),
		cmocka_unit_test(test_counter_wraps_and_other_cpu_is_behind),
		cmocka_unit_test(test_frequency),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
