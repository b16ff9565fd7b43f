/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every variant of comparing and copying that this machine has gives the answer of a byte by byte one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "generator/compare.h"
#include "generator/number.h"

#include <stdio.h>
#include <string.h>

#define SIZE_MAX_TESTED 640

static uint8_t expected[SIZE_MAX_TESTED] __attribute__((aligned(64)));
static uint8_t mask[SIZE_MAX_TESTED] __attribute__((aligned(64)));
static uint8_t bytes[SIZE_MAX_TESTED + 1];

/* Every third byte varies; behind the size all do. */
static void
fill(uint32_t size)
{
	memset(expected, 0, sizeof(expected));
	memset(mask, 0, sizeof(mask));
	for (uint32_t i = 0; i < sizeof(expected); i++) {
		bytes[i + 1] = (uint8_t)(i * 7 + 3);
		if (i < size && i % 3 != 0) {
			mask[i] = 0xff;
			expected[i] = bytes[i + 1];
		}
	}
}

static void
every_byte_is_compared(void **state)
{
	for (unsigned v = 0; compare_variants[v] != NULL; v++) {
		const struct compare *compare = compare_variants[v];

		if (!compare->supported())
			continue;
		for (uint32_t size = 1; size <= SIZE_MAX_TESTED; size += size < 200 ? 1 : 37) {
			fill(size);
			assert_true(compare->masked(bytes + 1, expected, mask, size));
			for (uint32_t i = 0; i < sizeof(expected); i++) {
				bytes[i + 1] ^= 0x20;
				if (compare->masked(bytes + 1, expected, mask, size) != (mask[i] == 0))
					fail_msg("%s, byte %u of %u", compare->name, i, size);
				bytes[i + 1] ^= 0x20;
			}
		}
	}
}

static bool
may_stand(unsigned byte)
{
	return byte != 0 && byte < 0x80 &&
		strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!*'+%=$&/", (int)byte) != NULL;
}

static void
opaque_bytes_are_told_from_others(void **state)
{
	for (unsigned v = 0; compare_variants[v] != NULL; v++) {
		const struct compare *compare = compare_variants[v];

		if (!compare->supported())
			continue;
		for (uint32_t size = 1; size < 70; size++) {
			for (uint32_t at = 0; at < size; at++) {
				for (unsigned byte = 0; byte < 256; byte++) {
					memset(bytes, 'x', sizeof(bytes));
					bytes[size] = '"'; /* behind it anything may stand */
					bytes[at] = (uint8_t)byte;
					if (compare->opaque(bytes, size) != may_stand(byte))
						fail_msg("%s, %#x at %u of %u", compare->name, byte, at, size);
				}
			}
		}
	}
}

static void
copies_are_whole(void **state)
{
	for (unsigned v = 0; compare_variants[v] != NULL; v++) {
		const struct compare *compare = compare_variants[v];

		if (!compare->supported())
			continue;
		for (uint32_t size = 1; size <= SIZE_MAX_TESTED; size += 13) {
			fill(SIZE_MAX_TESTED);
			memset(bytes, 0xee, sizeof(bytes));
			compare->copy(bytes + 1, expected, size);
			assert_memory_equal(bytes + 1, expected, size);
			for (uint32_t i = (size + 63) / 64 * 64; i < SIZE_MAX_TESTED; i++)
				assert_int_equal(bytes[i + 1], 0xee);
		}
	}
}

static void
numbers_are_written_and_read(void **state)
{
	uint64_t number = 1;

	for (unsigned i = 0; i < 1000; i++) {
		struct number_text text = number_write(number);
		char right[NUMBER_SIZE + 1];

		snprintf(right, sizeof(right), "%016llx", (unsigned long long)number);
		assert_memory_equal(text.bytes, right, NUMBER_SIZE);
		assert_true(number_read(text.bytes) == number);
		assert_true(number_is((const uint8_t *)right, &text));
		right[i % NUMBER_SIZE] ^= 1;
		assert_false(number_is((const uint8_t *)right, &text));
		number = number * 6364136223846793005u + 1442695040888963407u;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_compared),
		cmocka_unit_test(opaque_bytes_are_told_from_others),
		cmocka_unit_test(copies_are_whole),
		cmocka_unit_test(numbers_are_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
