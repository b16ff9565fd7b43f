/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Route tokens: what is signed is read by the same key and for the same Call-ID only.
 */
#include "dialog/route_token.h"
#include "transaction/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct bp_route_key key, other_key;

static struct bp_route_call
call(const char *call_id)
{
	return bp_route_call(&key, call_id, (unsigned)strlen(call_id));
}

static int
setup(void **state)
{
	bp_route_key_make(&key, (const uint8_t *)"sixteen bytes 01");
	bp_route_key_make(&other_key, (const uint8_t *)"sixteen bytes 02");
	return 0;
}

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
		unsigned size = bp_route_token_write(&key, &token, call("call-1"), text);

		assert_int_equal(size, v6 ? 58 : 42);
		assert_true(bp_route_token_read(&key, text, size, call("call-1"), &out));
		assert_int_equal(out.key_id, token.key_id);
		assert_int_equal(out.side, token.side);
		assert_int_equal(out.node, token.node);
		assert_int_equal(out.epoch, token.epoch);
		assert_int_equal(out.index, token.index);
		assert_int_equal(out.generation, token.generation);
		assert_true(bp_flow_equal(&out.onward, &token.onward));
		assert_false(bp_route_token_read(&other_key, text, size, call("call-1"), &out));
		memset(&out, 0, sizeof(out));
		assert_true(bp_route_token_open(text, size, &out)); /* without the key */
		assert_int_equal(out.index, token.index);
		assert_true(bp_flow_equal(&out.onward, &token.onward));
		assert_false(bp_route_token_open(text, size - 1, &out));
		assert_false(bp_route_token_read(&key, text, size, call("call-2"), &out));
		assert_false(bp_route_token_read(&key, text, size - 1, call("call-1"), &out));
	}
}

static void
test_any_changed_character_fails(void **state)
{
	struct bp_route_token token = token_to(false), out;
	char text[BP_ROUTE_TOKEN_SIZE_MAX];
	unsigned size = bp_route_token_write(&key, &token, call("c"), text);

	for (unsigned i = 0; i < size; i++) {
		char old = text[i];

		for (int c = 0; c < 256; c++) {
			if (c == (unsigned char)old)
				continue;
			text[i] = (char)c;
			assert_false(bp_route_token_read(&key, text, size, call("c"), &out));
		}
		text[i] = old;
	}
}

/* The same call from the other side, wherever it leads on; anything else is another call. */
static void
test_twins(void **state)
{
	struct bp_route_token token = token_to(false), other = token;
	char first[BP_ROUTE_TOKEN_SIZE_MAX], second[BP_ROUTE_TOKEN_SIZE_MAX];

	bp_route_token_write(&key, &token, call("c"), first);
	bp_route_token_write(&key, &other, call("c"), second);
	assert_false(bp_route_token_twins(first, second));
	other.side = BP_SIDE_CALLER;
	other.onward.port = 1234;
	bp_route_token_write(&key, &other, call("c"), second);
	assert_true(bp_route_token_twins(first, second));
	for (unsigned bit = 0; bit < 16 + 3 * 32; bit++) {
		struct bp_route_token changed = other;

		if (bit < 16)
			changed.node ^= (uint16_t)(1 << bit);
		else if (bit < 48)
			changed.epoch ^= UINT32_C(1) << (bit - 16);
		else if (bit < 80)
			changed.index ^= UINT32_C(1) << (bit - 48);
		else
			changed.generation ^= UINT32_C(1) << (bit - 80);
		bp_route_token_write(&key, &changed, call("c"), second);
		assert_false(bp_route_token_twins(first, second));
	}
}

static int
without_vectors(void **state)
{
	bp_base64_vectors = false;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip_of_both_families),
		cmocka_unit_test(test_any_changed_character_fails),
		cmocka_unit_test(test_twins),
		cmocka_unit_test_setup(test_round_trip_of_both_families, without_vectors),
		cmocka_unit_test(test_any_changed_character_fails),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
