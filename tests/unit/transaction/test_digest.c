/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The digest: every byte, every size and every part counts; sizes around its blocks; long parts; case.
 */
#include "transaction/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct bp_digest_key key;
static const struct bp_hash_key root = {1, 2}, other_root = {1, 3};

static int
setup(void **state)
{
	bp_digest_key_make(&key, &root, 1);
	return 0;
}

static void
digest2(const void *a, size_t a_size, const void *b, size_t b_size, uint64_t number, uint64_t out[2])
{
	struct bp_digest d;

	bp_digest_begin(&d, &key);
	bp_digest_add(&d, a, a_size);
	bp_digest_add(&d, b, b_size);
	bp_digest_end(&d, number, out);
}

/* All sizes up to beyond the longest part; any byte changed changes the digest's first word, into which all goes. */
static void
test_every_byte_counts(void **state)
{
	uint8_t bytes[300];
	uint64_t before[2], after[2];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37);
	for (unsigned size = 0; size <= sizeof(bytes); size++) {
		uint8_t *exact = malloc(size ? size : 1); /* a sanitizer sees what is read behind it */

		memcpy(exact, bytes, size);
		digest2(exact, size, "b", 1, 0, before);
		for (unsigned i = 0; i < size; i++) {
			exact[i] ^= 0x10;
			digest2(exact, size, "b", 1, 0, after);
			assert_int_not_equal(before[0], after[0]);
			exact[i] ^= 0x10;
		}
		if (size > 0) {
			digest2(exact, size - 1, "b", 1, 0, after);
			assert_int_not_equal(before[0], after[0]);
		}
		free(exact);
	}
}

static void
test_parts_and_number_count(void **state)
{
	uint64_t a[2], b[2];

	digest2("ab", 2, "c", 1, 7, a);
	digest2("a", 1, "bc", 2, 7, b);
	assert_int_not_equal(a[0], b[0]);
	digest2("ab", 2, "c", 1, 8, b);
	assert_int_not_equal(a[0], b[0]);
	digest2("ab", 2, "c", 1, 7, b);
	assert_memory_equal(a, b, sizeof(a));
	digest2("c", 1, "ab", 2, 7, b);
	assert_int_not_equal(a[0], b[0]);
	/* zeros at the end are not nothing */
	digest2("ab\0", 3, "c", 1, 7, b);
	assert_int_not_equal(a[0], b[0]);
}

static void
test_keys_and_domains_differ(void **state)
{
	struct bp_digest_key second;
	uint64_t sum = bp_digest64(&key, "Call-ID", 7);

	assert_int_equal(sum, bp_digest64(&key, "Call-ID", 7));
	bp_digest_key_make(&second, &root, 2);
	assert_int_not_equal(sum, bp_digest64(&second, "Call-ID", 7));
	bp_digest_key_make(&second, &other_root, 1);
	assert_int_not_equal(sum, bp_digest64(&second, "Call-ID", 7));
}

static uint64_t
folded(const char *text, size_t size)
{
	struct bp_digest d;
	uint64_t out[2];

	bp_digest_begin(&d, &key);
	bp_digest_add_folded(&d, text, size);
	bp_digest_end(&d, 0, out);
	return out[0];
}

/* Letters lose their case, nothing else changes. */
static void
test_folded(void **state)
{
	for (unsigned size = 1; size <= 64; size++) {
		for (unsigned c = 0; c < 256; c++) {
			char text[64], lower[64];

			memset(text, 'x', sizeof(text));
			memcpy(lower, text, sizeof(text));
			text[size - 1] = (char)c;
			lower[size - 1] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
			assert_int_equal(folded(text, size), bp_digest64(&key, lower, size));
		}
	}
}

/* 2^16 neighbours spread over 2^12 buckets by their upper bits: no bucket gets much more than its 16. */
static void
test_spreads(void **state)
{
	static unsigned buckets[4096];

	for (uint32_t i = 0; i < 65536; i++)
		buckets[bp_digest64(&key, &i, sizeof(i)) >> 52]++;
	for (unsigned i = 0; i < 4096; i++)
		assert_in_range(buckets[i], 1, 48);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_parts_and_number_count),
		cmocka_unit_test(test_keys_and_domains_differ),
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_spreads),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
