/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How long an idle worker sleeps.
 */
#include "worker/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
test_busy_never_sleeps(void **state)
{
	struct bp_idle idle = {0};

	for (uint64_t now = 1; now < 100000; now += 100)
		assert_int_equal(bp_idle_decide(&idle, BP_POLL_BUSY, false, now, UINT64_MAX), 0);
}

static void
test_spins_then_sleeps_longer(void **state)
{
	struct bp_idle idle = {0};

	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, true, 1000, UINT64_MAX), 0);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1010, UINT64_MAX), 0);
	assert_int_equal(
		bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1009 + BP_IDLE_SPIN_US, UINT64_MAX), 0);
	assert_int_equal(
		bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1010 + BP_IDLE_SPIN_US, UINT64_MAX), 50);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1010 + 4999, UINT64_MAX), 50);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1010 + 5000, UINT64_MAX), 200);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1010 + 1000000, UINT64_MAX), 500);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, UINT64_MAX / 2, UINT64_MAX), 500);
}

static void
test_work_starts_over(void **state)
{
	struct bp_idle idle = {0};

	bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1000, UINT64_MAX);
	assert_int_not_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 9000, UINT64_MAX), 0);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, true, 9100, UINT64_MAX), 0);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 9110, UINT64_MAX), 0);
}

static void
test_nothing_due_is_overslept(void **state)
{
	struct bp_idle idle = {0};

	bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 1000, UINT64_MAX);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 50000, 50007), 7);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 50000, 50000), 0);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 50000, 40000), 0);
	assert_int_equal(bp_idle_decide(&idle, BP_POLL_ADAPTIVE, false, 50000, 50000 + 201), 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy_never_sleeps),
		cmocka_unit_test(test_spins_then_sleeps_longer),
		cmocka_unit_test(test_work_starts_over),
		cmocka_unit_test(test_nothing_due_is_overslept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
