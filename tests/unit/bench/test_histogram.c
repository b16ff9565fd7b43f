/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The histogram: every value is found again within a thousandth, percentiles against a sorted list, sums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "generator/histogram.h"

#include <stdlib.h>

static struct gen_histogram histogram, other;

static void
value_is_found_within_a_thousandth(void **state)
{
	for (unsigned bit = 2; bit < 47; bit++) {
		for (int offset = -2; offset <= 2; offset++) {
			uint64_t value = ((uint64_t)1 << bit) * 3 / 2 + (uint64_t)offset, found;

			gen_histogram_reset(&histogram);
			gen_histogram_record(&histogram, value);
			gen_histogram_record(&histogram, UINT64_MAX / 2); /* the maximum must not help */
			found = gen_histogram_percentile(&histogram, 50);
			assert_true(found >= value);
			assert_true(found - value <= value / 1000);
		}
	}
}

static void
small_values_are_exact(void **state)
{
	for (uint64_t value = 0; value < 2048; value++) {
		assert_int_equal(gen_histogram_bucket(value), value);
		gen_histogram_reset(&histogram);
		gen_histogram_record(&histogram, value);
		gen_histogram_record(&histogram, 1 << 20);
		assert_int_equal(gen_histogram_percentile(&histogram, 50), value);
	}
}

static void
buckets_rise_without_a_gap(void **state)
{
	uint32_t last = 0;

	for (uint64_t value = 1; value < 1 << 20; value++) {
		uint32_t bucket = gen_histogram_bucket(value);

		assert_true(bucket == last || bucket == last + 1);
		last = bucket;
	}
	assert_int_equal(gen_histogram_bucket(UINT64_MAX), GEN_HISTOGRAM_BUCKETS - 1);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
percentiles_are_those_of_a_sorted_list(void **state)
{
	static uint64_t values[10000];
	static const double percents[] = {0.01, 1, 25, 50, 90, 99, 99.9, 100};
	uint64_t random = 1;

	gen_histogram_reset(&histogram);
	gen_histogram_reset(&other);
	for (unsigned i = 0; i < 10000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		values[i] = random >> (24 + i % 30);
		gen_histogram_record(i % 2 ? &histogram : &other, values[i]);
	}
	gen_histogram_add(&histogram, &other);
	qsort(values, 10000, sizeof(values[0]), compare);
	assert_int_equal(histogram.total, 10000);
	assert_int_equal(histogram.min, values[0]);
	assert_int_equal(histogram.max, values[9999]);
	for (unsigned i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		uint64_t right = values[(unsigned)(percents[i] * 100) - 1];
		uint64_t found = gen_histogram_percentile(&histogram, percents[i]);

		assert_true(found >= right);
		assert_true(found - right <= right / 1000);
	}
}

static void
empty_one_has_no_percentile(void **state)
{
	gen_histogram_reset(&histogram);
	assert_int_equal(gen_histogram_percentile(&histogram, 99), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_is_found_within_a_thousandth),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(buckets_rise_without_a_gap),
		cmocka_unit_test(percentiles_are_those_of_a_sorted_list),
		cmocka_unit_test(empty_one_has_no_percentile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
