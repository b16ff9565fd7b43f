/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every variant of the scanner against a bytewise one, on random bytes in blocks of
 * exactly their size, at every length and alignment that matters. Variants that this machine
 * lacks are skipped by name.
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
	&bp_set_param,
	&bp_set_addr_spec,
	&bp_set_display_stop,
	&bp_set_quoted_stop,
	&bp_set_list_stop,
	&bp_set_angle,
	&bp_set_comment_stop,
	&bp_set_colon,
	&bp_set_space,
};
#define SETS (sizeof(sets) / sizeof(sets[0]))

static uint64_t
naive_mask(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < 64 && at + i < end; i++)
		mask |= (uint64_t)bp_set_has(set, bytes[at + i]) << i;
	return mask;
}

static void
mask(void **state)
{
	const struct bp_scanner *scanner = *state;
	uint64_t seed = 4475;

	if (!scanner->supported())
		skip();
	for (uint32_t size = 0; size <= 150; size++) {
		uint8_t *bytes = malloc(size ? size : 1);

		for (uint32_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)random_next(&seed);
		for (uint32_t at = 0; at <= size; at++) {
			const struct bp_scan_set *set = sets[random_below(&seed, SETS)];

			assert_int_equal(
				scanner->mask(bytes, at, size, set), naive_mask(bytes, at, size, set));
		}
		free(bytes);
	}
}

/* Each byte value against each set, so that no cell of the tables goes untested. */
static void
mask_of_each_byte(void **state)
{
	const struct bp_scanner *scanner = *state;
	uint8_t bytes[256];

	if (!scanner->supported())
		skip();
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	for (unsigned s = 0; s < SETS; s++) {
		for (uint32_t at = 0; at < 256; at += 64)
			assert_int_equal(
				scanner->mask(bytes, at, 256, sets[s]), naive_mask(bytes, at, 256, sets[s]));
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
	const struct bp_scanner *scanner = *state;
	static const char alphabet[] = "\r\n\r\nab: ";
	static struct expected expected;
	uint64_t seed = 3261;

	if (!scanner->supported())
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
			scanner->lines(bytes, size, &got);
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

static void
find_and_skip(void **state)
{
	const struct bp_scanner *chosen = bp_scan, *scanner = *state;
	uint8_t bytes[300];

	if (!scanner->supported())
		skip();
	bp_scan = scanner;
	memset(bytes, 'a', sizeof(bytes));
	for (uint32_t at = 0; at < 300; at++) {
		bytes[at] = ':';
		assert_int_equal(bp_scan_find(bytes, 0, 300, &bp_set_colon), at);
		assert_int_equal(bp_scan_find(bytes, at + 1, 300, &bp_set_colon), 300);
		assert_int_equal(bp_scan_find(bytes, 0, at, &bp_set_colon), at);
		assert_int_equal(bp_scan_skip(bytes, 0, 300, &bp_set_token), at);
		assert_int_equal(bp_scan_skip(bytes, at + 1, 300, &bp_set_token), 300);
		assert_int_equal(bp_scan_skip(bytes, 0, at, &bp_set_token), at);
		bytes[at] = 'a';
	}
	bp_scan = chosen;
}

/* The cursor gives the same stops as a bytewise walk, from wherever it is asked. */
static void
cursor(void **state)
{
	const struct bp_scanner *chosen = bp_scan, *scanner = *state;
	uint64_t seed = 19;
	uint8_t bytes[400];

	if (!scanner->supported())
		skip();
	bp_scan = scanner;
	for (unsigned round = 0; round < 2000; round++) {
		uint32_t begin = random_below(&seed, 20), end = begin + random_below(&seed, 300), at = begin;
		struct bp_cursor c;

		for (unsigned i = 0; i < sizeof(bytes); i++)
			bytes[i] = random_below(&seed, 30) ? 'a' : ';';
		bp_cursor_begin(&c, bytes, begin, end, &bp_set_param);
		while (at < end) {
			uint32_t expected = at;

			while (expected < end && bytes[expected] == 'a')
				expected++;
			assert_int_equal(bp_cursor_stop(&c, at), expected);
			at = expected + random_below(&seed, 40);
		}
		assert_int_equal(bp_cursor_stop(&c, end), end);
	}
	bp_scan = chosen;
}

static void
quoted(void **state)
{
	const char *text = "\"a\\\"b\\\\\" rest";

	assert_int_equal(bp_scan_quoted((const uint8_t *)text, 0, (uint32_t)strlen(text)), 8);
	assert_int_equal(bp_scan_quoted((const uint8_t *)text, 0, 7), 0);
	assert_int_equal(bp_scan_quoted((const uint8_t *)"\"", 0, 1), 0);
	assert_int_equal(bp_scan_quoted((const uint8_t *)"\"\\", 0, 2), 0);
}

/* The choice is the first that is supported, and plain C ends the list. */
static void
choice(void **state)
{
	unsigned i = 0;

	while (!bp_scanners[i]->supported())
		i++;
	assert_ptr_equal(bp_scan, bp_scanners[i]);
	while (bp_scanners[i + 1])
		i++;
	assert_string_equal(bp_scanners[i]->name, "plain");
	assert_true(bp_scanners[i]->supported());
}

int
main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction run;
	} each[] = {{"mask", mask}, {"mask of each byte", mask_of_each_byte}, {"lines", lines},
		{"find and skip", find_and_skip}, {"cursor", cursor}};
	struct CMUnitTest tests[64];
	char names[64][48];
	size_t count = 0;

	for (unsigned s = 0; bp_scanners[s]; s++) {
		for (unsigned i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
			snprintf(names[count], sizeof(names[count]), "%s: %s", bp_scanners[s]->name,
				each[i].name);
			tests[count] = (struct CMUnitTest){
				names[count], each[i].run, NULL, NULL, (void *)bp_scanners[s]};
			count++;
		}
	}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(quoted);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(choice);
	return _cmocka_run_group_tests("scan", tests, count, NULL, NULL);
}
