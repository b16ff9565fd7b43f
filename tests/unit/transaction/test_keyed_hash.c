/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SipHash-2-4 against the vectors of its reference implementation, and in pieces.
 */
#include "transaction/keyed_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct bp_hash_key
reference_key(void)
{
	uint8_t bytes[16];

	for (uint8_t i = 0; i < 16; i++)
		bytes[i] = i;
	return bp_hash_key_load(bytes);
}

static void
hash(const uint8_t *in, size_t size, int bits, uint64_t *out)
{
	struct bp_hash_key key = reference_key();
	struct bp_hash h;

	bp_hash_begin(&h, &key, bits);
	bp_hash_add(&h, in, size);
	bp_hash_end(&h, out);
}

static void
test_vectors_of_64_bits(void **state)
{
	static const struct {
		size_t size;
		uint64_t sum;
	} vectors[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
	};
	uint8_t in[16];
	uint64_t sum;

	for (uint8_t i = 0; i < 16; i++)
		in[i] = i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		hash(in, vectors[i].size, 64, &sum);
		assert_int_equal(sum, vectors[i].sum);
	}
}

static void
test_vectors_of_128_bits(void **state)
{
	static const uint8_t expected[2][16] = {
		{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93},
		{0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45},
	};
	uint8_t in[1] = {0};
	uint64_t sum[2];

	for (size_t size = 0; size < 2; size++) {
		hash(in, size, 128, sum);
		assert_memory_equal(sum, expected[size], 16);
	}
}

/* Every cut of a message into three pieces gives the hash of the whole. */
static void
test_pieces_equal_the_whole(void **state)
{
	struct bp_hash_key key = reference_key();
	uint64_t whole[2], sum[2];
	uint8_t in[41];
	struct bp_hash h;

	for (uint8_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	for (size_t size = 0; size <= sizeof(in); size++) {
		hash(in, size, 64, whole);
		assert_int_equal(bp_hash64(&key, in, size), whole[0]);
	}
	hash(in, sizeof(in), 128, whole);
	for (size_t a = 0; a <= sizeof(in); a++) {
		for (size_t b = a; b <= sizeof(in); b++) {
			bp_hash_begin(&h, &key, 128);
			bp_hash_add(&h, in, a);
			bp_hash_add(&h, in + a, b - a);
			bp_hash_add(&h, in + b, sizeof(in) - b);
			bp_hash_end(&h, sum);
			assert_memory_equal(sum, whole, sizeof(sum));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_of_64_bits),
		cmocka_unit_test(test_vectors_of_128_bits),
		cmocka_unit_test(test_pieces_equal_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
