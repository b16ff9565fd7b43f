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

static const struct bp_hash_key key = {1, 2}, other_key = {1, 3};
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_any_changed_character_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
