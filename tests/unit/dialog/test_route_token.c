/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Route tokens: what is signed is read by the same key and for the same Call-ID only.
 */
#include "dialog/route_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const struct bp_hash_key key = {11, 12}, other_key = {11, 13};

static struct bp_route_token
token_to(bool v6)
{
	struct bp_route_token token = {
		.key_id = 5,
		.side = BP_SIDE_CALLEE,
		.node = 4095,
		.epoch = 1700000000,
		.index = 0x12345678,
		.generation = 9,
		.onward = {.port = 5062, .listener = 3},
	};

	if (v6)
		token.onward.ip.bytes[0] = 0x20;
	else
		token.onward.ip = bp_ip_from_v4("\xc0\x00\x02\x01");
	return token;
}

static void
test_round_trip_of_both_families(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct bp_route_token token = token_to(v6), out;
		char text[BP_ROUTE_TOKEN_SIZE_MAX];
		unsigned size = bp_route_token_write(&key, &token, "call-1", 6, text);

		assert_int_equal(size, v6 ? 58 : 42);
		assert_true(bp_route_token_read(&key, text, size, "call-1", 6, &out));
		assert_int_equal(out.key_id, token.key_id);
		assert_int_equal(out.side, token.side);
		assert_int_equal(out.node, token.node);
		assert_int_equal(out.epoch, token.epoch);
		assert_int_equal(out.index, token.index);
		assert_int_equal(out.generation, token.generation);
		assert_true(bp_flow_equal(&out.onward, &token.onward));
		assert_false(bp_route_token_read(&other_key, text, size, "call-1", 6, &out));
		memset(&out, 0, sizeof(out));
		assert_true(bp_route_token_open(text, size, &out)); /* without the key */
		assert_int_equal(out.index, token.index);
		assert_true(bp_flow_equal(&out.onward, &token.onward));
		assert_false(bp_route_token_open(text, size - 1, &out));
		assert_false(bp_route_token_read(&key, text, size, "call-2", 6, &out));
		assert_false(bp_route_token_read(&key, text, size - 1, "call-1", 6, &out));
	}
}

static void
test_any_changed_character_fails(void **state)
{
	struct bp_route_token token = token_to(false), out;
	char text[BP_ROUTE_TOKEN_SIZE_MAX];
	unsigned size = bp_route_token_write(&key, &token, "c", 1, text);

	for (unsigned i = 0; i < size; i++) {
		char old = text[i];

		for (int c = 0; c < 256; c++) {
			if (c == (unsigned char)old)
				continue;
			text[i] = (char)c;
			assert_false(bp_route_token_read(&key, text, size, "c", 1, &out));
		}
		text[i] = old;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip_of_both_families),
		cmocka_unit_test(test_any_changed_character_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
