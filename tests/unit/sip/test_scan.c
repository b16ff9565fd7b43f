/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every variant's scanning against a bytewise one, on random bytes in blocks of exactly
 * their size, at every length and alignment that matters. Variants that this machine lacks are skipped by
 * name.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static const struct bp_scan_set *const sets[] = {
	&bp_set_token,
	&bp_set_word,
	&bp_set_host,
	&bp_set_ipv6,
	&bp_set_uri,
	&bp_set_uri_plain,
	&bp_set_uri_param,
	&bp_set_param,
	&bp_set_addr_spec,
	&bp_set_display_stop,
	&bp_set_quoted_stop,
	&bp_set_list_stop,
	&bp_set_angle,
	&bp_set_comment_stop,
	&bp_set_colon,
};
#define SETS (sizeof(sets) / sizeof(sets[0]))

static uint32_t
naive(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set, bool in)
{
	while (at < end && bp_set_has(set, bytes[at]) != in)
		at++;
	return at;
}

/* Random bytes: mostly of the set or mostly not, so that what is looked for is near and far. */
static void
find_and_skip(void **state)
{
	const struct bp_variant *variant = *state;
	uint64_t seed = 4475;

	if (!variant->supported())
		skip();
	for (uint32_t size = 1; size <= 300; size += size < 150 ? 1 : 7) {
		const struct bp_scan_set *set = sets[random_below(&seed, SETS)];
		uint32_t density = 1 + random_below(&seed, 100);
		uint8_t *bytes = malloc(size);

		for (uint32_t i = 0; i < size; i++) {
			do {
				bytes[i] = (uint8_t)random_next(&seed);
			} while (random_below(&seed, density) && bp_set_has(set, bytes[i]) == (size & 1));
		}
		for (uint32_t at = 0; at <= size; at++) {
			for (uint32_t end = size - random_below(&seed, size - at + 1);;) {
				assert_int_equal(variant->find(bytes, at, end, set),
					naive(bytes, at, end, set, true));
				assert_int_equal(variant->find_other(bytes, at, end, set),
					naive(bytes, at, end, set, false));
				if (end == size)
					break;
				end = size;
			}
		}
		free(bytes);
	}
}

/* Each byte value against each set, so that no cell of the tables goes untested. */
static void
each_byte(void **state)
{
	const struct bp_variant *variant = *state;
	uint8_t bytes[128];

	if (!variant->supported())
		skip();
	for (unsigned s = 0; s < SETS; s++) {
		for (unsigned value = 0; value < 256; value++) {
			bool in = bp_set_has(sets[s], (uint8_t)value);

			memset(bytes, (int)value, sizeof(bytes));
			assert_int_equal(variant->find(bytes, 3, 128, sets[s]), in ? 3 : 128);
			assert_int_equal(variant->find_other(bytes, 3, 128, sets[s]), in ? 128 : 3);
		}
	}
}

struct expected {
	uint32_t count, body, stray;
	uint16_t ends[4096];
};

static void
naive_lines(const uint8_t *bytes, uint32_t size, struct expected *e)
{
	*e = (struct expected){0};
	for (uint32_t i = 0; i < size; i++) {
		bool after_cr = i > 0 && bytes[i - 1] == '\r', lf = bytes[i] == '\n';

		if (after_cr != lf && e->stray == 0)
			e->stray = i + 1;
		if (!lf || !after_cr)
			continue;
		e->ends[e->count++] = (uint16_t)(i + 1);
		if (i >= 3 && bytes[i - 2] == '\n' && bytes[i - 3] == '\r') {
			e->body = i + 1;
			return;
		}
	}
}

static void
lines(void **state)
{
	const struct bp_variant *variant = *state;
	static const char alphabet[] = "\r\n\r\nab: ";
	static struct expected expected;
	uint64_t seed = 3261;

	if (!variant->supported())
		skip();
	for (unsigned round = 0; round < 4000; round++) {
		uint32_t size = random_below(&seed, round % 8 ? 400 : 3000), found = 0;
		uint32_t density = 1 + random_below(&seed, 40);
		struct bp_scan_lines got = {.at = 0};
		uint8_t *bytes = malloc(size ? size : 1);

		for (uint32_t i = 0; i < size; i++) {
			bytes[i] = (uint8_t)(random_below(&seed, density) ? 'x'
									  : alphabet[random_below(&seed, 8)]);
			if (i && bytes[i - 1] == '\r' && random_below(&seed, 16))
				bytes[i] = '\n';
		}
		naive_lines(bytes, size, &expected);
		do {
			variant->lines(bytes, size, &got);
			for (uint32_t i = 0; i < got.count; i++)
				assert_int_equal(got.ends[i], expected.ends[found + i]);
			found += got.count;
		} while (got.body == 0 && got.at < size);
		assert_int_equal(found, expected.count);
		assert_int_equal(got.body, expected.body);
		assert_int_equal(got.stray, expected.stray);
		free(bytes);
	}
}

/* The choice is the first that is supported, and plain C ends the list. */
static void
choice(void **state)
{
	unsigned i = 0;

	while (!bp_variants[i]->supported())
		i++;
	assert_ptr_equal(bp_variant, bp_variants[i]);
	while (bp_variants[i + 1])
		i++;
	assert_string_equal(bp_variants[i]->name, "plain");
	assert_true(bp_variants[i]->supported());
}

int
main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction run;
	} each[] = {{"find and skip", find_and_skip}, {"each byte", each_byte}, {"lines", lines}};
	struct CMUnitTest tests[64];
	char names[64][48];
	size_t count = 0;

	for (unsigned s = 0; bp_variants[s]; s++) {
		for (unsigned i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
			snprintf(names[count], sizeof(names[count]), "%s: %s", bp_variants[s]->name,
				each[i].name);
			tests[count] = (struct CMUnitTest){
				names[count], each[i].run, NULL, NULL, (void *)bp_variants[s]};
			count++;
		}
	}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(choice);
	return _cmocka_run_group_tests("scan", tests, count, NULL, NULL);
}
