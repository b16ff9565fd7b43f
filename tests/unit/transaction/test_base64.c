/* SPDX-License-Identifier: BSD-3-Clause
 *
 * base64url: words and vectors do the same, and only the alphabet is read.
 */
#include "transaction/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static uint64_t seed = 4648;

static uint8_t
random_byte(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint8_t)(seed >> 56);
}

/* RFC 4648 10, with the alphabet of section 5. */
static void
test_known(void **state)
{
	uint8_t in[BP_BASE64_BYTES + 8] = "foobar", back[BP_BASE64_BYTES + 8];
	char out[BP_BASE64_TEXT];

	bp_base64_encode(in, 6, out);
	assert_memory_equal(out, "Zm9vYmFy", 8);
	in[0] = 0xfb, in[1] = 0xff, in[2] = 0xbf;
	bp_base64_encode(in, 3, out);
	assert_memory_equal(out, "-_-_", 4);
	memset(out + 4, 'A', sizeof(out) - 4);
	assert_true(bp_base64_decode(out, 4, back));
	assert_memory_equal(in, back, 3);
}

static void
test_there_and_back(void **state)
{
	bool vectors = bp_base64_vectors;

	for (unsigned round = 0; round < 10000; round++) {
		unsigned size = 1 + random_byte() % BP_BASE64_BYTES, text = (size * 8 + 5) / 6;
		uint8_t in[BP_BASE64_BYTES + 8] = {0}, back[BP_BASE64_BYTES + 8];
		char out[BP_BASE64_TEXT], plain[BP_BASE64_TEXT];

		for (unsigned i = 0; i < size; i++)
			in[i] = random_byte();
		bp_base64_encode(in, size, out);
		bp_base64_vectors = false;
		bp_base64_encode(in, size, plain);
		assert_memory_equal(out, plain, text);
		memset(out + text, 'A', sizeof(out) - text);
		assert_true(bp_base64_decode(out, (text + 3) & ~3u, back));
		assert_memory_equal(in, back, size);
		bp_base64_vectors = vectors;
		assert_true(bp_base64_decode(out, (text + 3) & ~3u, back));
		assert_memory_equal(in, back, size);
	}
}

static void
test_other_characters(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	bool vectors = bp_base64_vectors;
	uint8_t back[BP_BASE64_BYTES + 8];
	char text[BP_BASE64_TEXT];

	memset(text, 'A', sizeof(text));
	for (unsigned at = 0; at < sizeof(text); at++) {
		for (int c = 0; c < 256; c++) {
			bool good = c != 0 && strchr(alphabet, c) != NULL;

			text[at] = (char)c;
			assert_int_equal(bp_base64_value((uint8_t)c) < 64, good);
			assert_int_equal(bp_base64_decode(text, sizeof(text), back), good);
			bp_base64_vectors = false;
			assert_int_equal(bp_base64_decode(text, sizeof(text), back), good);
			bp_base64_vectors = vectors;
		}
		text[at] = 'A';
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_other_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
