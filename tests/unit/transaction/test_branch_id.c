/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Our branch: what is written is read, and nothing else is.
 */
#include "transaction/branch_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct bp_prf_key key, other_key;
static const struct bp_branch_id id = {.index = 0xdeadbeef, .generation = 42, .branch = 3};

static void
test_round_trip(void **state)
{
	struct bp_branch_id out;
	char text[BP_BRANCH_ID_SIZE];

	bp_branch_id_write(&key, id, text);
	assert_memory_equal(text, "z9hG4bK", 7);
	assert_true(bp_branch_id_read(&key, text, sizeof(text), &out));
	assert_int_equal(out.index, id.index);
	assert_int_equal(out.generation, id.generation);
	assert_int_equal(out.branch, id.branch);
	assert_false(bp_branch_id_read(&other_key, text, sizeof(text), &out));
	memset(&out, 0, sizeof(out));
	assert_true(bp_branch_id_open(text, sizeof(text), &out)); /* without the key */
	assert_int_equal(out.index, id.index);
	assert_int_equal(out.generation, id.generation);
	assert_int_equal(out.branch, id.branch);
	assert_false(bp_branch_id_open(text, sizeof(text) - 1, &out));
	assert_false(bp_branch_id_read(&key, text, sizeof(text) - 1, &out));
}

static void
test_upper_case(void **state)
{
	struct bp_branch_id out;
	char text[BP_BRANCH_ID_SIZE];

	bp_branch_id_write(&key, id, text);
	for (unsigned i = 9; i < sizeof(text); i++)
		if (text[i] >= 'a')
			text[i] &= ~0x20;
	assert_true(bp_branch_id_read(&key, text, sizeof(text), &out));
	assert_int_equal(out.index, id.index);
}

static void
test_any_changed_character_fails(void **state)
{
	struct bp_branch_id out;
	char text[BP_BRANCH_ID_SIZE];

	for (unsigned i = 0; i < sizeof(text); i++) {
		bp_branch_id_write(&key, id, text);
		for (int c = 0; c < 256; c++) {
			char old = text[i];

			/* the case of a hexadecimal digit is the same digit */
			if (c == old || (i >= 9 && (c | 0x20) == (old | 0x20)))
				continue;
			text[i] = (char)c;
			assert_false(bp_branch_id_read(&key, text, sizeof(text), &out));
			text[i] = old;
		}
	}
}

/* What the vectors write apart from the check is what the plain code writes. */
static void
test_text_is_the_same(void **state)
{
	const struct bp_hash_key root = {1, 2};
	char text[BP_BRANCH_ID_SIZE], plain[BP_BRANCH_ID_SIZE];
	struct bp_prf_key plain_key;

	bp_prf_key_make(&plain_key, &root, false);
	bp_branch_id_write(&key, id, text);
	bp_branch_id_write(&plain_key, id, plain);
	assert_memory_equal(text, plain, 26);
}

/* FIPS 197 appendix B: the first eight bytes of the ciphertext. */
static void
test_aes(void **state)
{
	static const uint8_t cipher_key[16] = {
		0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
	static const uint8_t input[16] = {
		0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34};
	static const uint8_t output[8] = {0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09, 0xfb};
	struct bp_hash_key root = bp_hash_key_load(cipher_key);
	struct bp_prf_key aes;
	uint64_t out;

	bp_prf_key_make(&aes, &root, true);
	out = bp_prf64(&aes, input);
	if (aes.vectors)
		assert_memory_equal(&out, output, 8);
	bp_prf_key_make(&aes, &root, false);
	assert_true(bp_prf64(&aes, input) == bp_hash64(&root, input, 16));
}

static int
with_vectors(void **state)
{
	bp_prf_key_make(&key, &(struct bp_hash_key){1, 2}, true);
	bp_prf_key_make(&other_key, &(struct bp_hash_key){1, 3}, true);
	return 0;
}

static int
without_vectors(void **state)
{
	bp_prf_key_make(&key, &(struct bp_hash_key){1, 2}, false);
	bp_prf_key_make(&other_key, &(struct bp_hash_key){1, 3}, false);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trip, with_vectors),
		cmocka_unit_test_setup(test_round_trip, without_vectors),
		cmocka_unit_test_setup(test_upper_case, with_vectors),
		cmocka_unit_test_setup(test_upper_case, without_vectors),
		cmocka_unit_test_setup(test_any_changed_character_fails, with_vectors),
		cmocka_unit_test_setup(test_any_changed_character_fails, without_vectors),
		cmocka_unit_test_setup(test_text_is_the_same, with_vectors),
		cmocka_unit_test(test_aes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
