/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A record is taken through its life by the data path's own functions, and after each step its words are said
 * in words: what they say must be what was done.
 */
#include "words.h"

#include "transaction/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct bp_record record;

static void
begin(enum bp_method method, uint32_t generation)
{
	uint64_t base = (uint64_t)generation << BP_WORD_GENERATION_SHIFT;

	memset(&record, 0, sizeof(record));
	record.method = (uint8_t)method;
	record.branch_count = 1;
	atomic_store(&record.branch, base);
	atomic_store(&record.server, BP_WORD_SET(base, PENDING, 1));
}

static void
expect(const struct word_kind *kind, uint64_t word, enum method_kind method, const char *wanted)
{
	char text[400];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	word_print(out, kind, word, method);
	fclose(out);
	assert_string_equal(text, wanted);
}

static void
expect_words(enum method_kind method, const char *server, const char *branch)
{
	expect(&server_word, atomic_load(&record.server), method, server);
	expect(&branch_word, atomic_load(&record.branch), method, branch);
	assert_true(word_is_plausible(&server_word, atomic_load(&record.server), method));
	assert_true(word_is_plausible(&branch_word, atomic_load(&record.branch), method));
}

static void
test_cancelled_invite(void **state)
{
	begin(BP_METHOD_INVITE, 7);
	expect_words(METHOD_INVITE, "server word: generation 7, pending 1, state IST_PROCEEDING",
		"branch word: generation 7, state ICT_CALLING");
	bp_branch_event(&record, 7, 0, BP_ICT_ON_1XX, BP_WORD_1XX_SEEN, 0);
	bp_server_event(&record, 7, BP_IST_ON_TU_1XX, 0, 180);
	bp_server_cancel(&record, 7);
	assert_true(bp_branch_cancel(&record, 7, 0));
	expect_words(METHOD_INVITE,
		"server word: generation 7, status 180, pending 1, cancel NIST_COMPLETED, cancel_asked, "
		"state IST_PROCEEDING",
		"branch word: generation 7, cancel NICT_TRYING, 1xx_seen, state ICT_PROCEEDING");
	bp_branch_cancel_event(&record, 7, 0, BP_NICT_ON_FINAL);
	bp_branch_event(&record, 7, 0, BP_ICT_ON_3XX_6XX, 0, 487);
	bp_server_branch_done(&record, 7, 487);
	expect_words(METHOD_INVITE,
		"server word: generation 7, status 487, cancel NIST_COMPLETED, cancel_asked, state IST_COMPLETED",
		"branch word: generation 7, status 487, cancel NICT_COMPLETED, 1xx_seen, state ICT_COMPLETED");
	bp_branch_cancel_event(&record, 7, 0, BP_NICT_ON_TIMER_K);
	bp_server_cancel_event(&record, 7, BP_NIST_ON_TIMER_J);
	bp_branch_event(&record, 7, 0, BP_ICT_ON_TIMER_D, 0, 0);
	bp_server_event(&record, 7, BP_IST_ON_TIMER_H, 0, 0);
	assert_true(bp_record_end(&record, 7));
	expect_words(METHOD_INVITE, "server word: generation 8, free, state IST_TERMINATED",
		"branch word: generation 8, state ICT_TERMINATED");
}

static void
test_fork_that_is_stopped(void **state)
{
	begin(BP_METHOD_INVITE, 1);
	assert_true(bp_server_branch_add(&record, 1));
	bp_server_event(&record, 1, BP_IST_ON_TU_2XX, BP_WORD_2XX_SEEN, 200);
	bp_server_stop(&record, 1);
	assert_true(bp_branch_abandon(&record, 1, 0));
	expect_words(METHOD_INVITE,
		"server word: generation 1, status 200, pending 2, stopped, 2xx_seen, state IST_ACCEPTED",
		"branch word: generation 1, abandoned, state ICT_CALLING");
}

static void
test_other_than_invite(void **state)
{
	begin(BP_METHOD_BYE, 3);
	bp_branch_event(&record, 3, 0, BP_NICT_ON_FINAL, 0, 481);
	bp_server_branch_done(&record, 3, 481);
	expect_words(METHOD_OTHER, "server word: generation 3, status 481, state NIST_COMPLETED",
		"branch word: generation 3, status 481, state NICT_COMPLETED");
	expect_words(METHOD_UNKNOWN, "server word: generation 3, status 481, state IST_CONFIRMED or NIST_COMPLETED",
		"branch word: generation 3, status 481, state ICT_COMPLETED or NICT_COMPLETED");
}

static void
test_what_is_no_word(void **state)
{
	uint64_t stray = UINT64_C(1) << 31, no_state = BP_WORD_SET(0, STATE, 5), no_cancel = BP_WORD_SET(0, CANCEL, 5);

	expect(&server_word, stray, METHOD_INVITE,
		"server word: generation 0, state IST_PROCEEDING, stray bits 0x80000000");
	expect(&server_word, no_state, METHOD_UNKNOWN, "server word: generation 0, state 5 (there is none)");
	expect(&branch_word, no_cancel, METHOD_OTHER,
		"branch word: generation 0, cancel 5 (there is none), state NICT_TRYING");
	assert_false(word_is_plausible(&server_word, stray, METHOD_UNKNOWN));
	assert_false(word_is_plausible(&server_word, no_state, METHOD_UNKNOWN));
	assert_false(word_is_plausible(&branch_word, no_cancel, METHOD_UNKNOWN));
	assert_false(word_is_plausible(&server_word, BP_WORD_SET(0, STATE, 4), METHOD_OTHER)); /* NIST has four */
	assert_true(word_is_plausible(&server_word, BP_WORD_SET(0, STATE, 4), METHOD_INVITE));
}

static void
test_fields_do_not_overlap(void **state)
{
	static const struct word_kind *const kinds[] = {&server_word, &branch_word, &dialog_word};

	for (unsigned k = 0; k < 3; k++) {
		uint64_t below = UINT64_MAX, taken = 0;

		for (unsigned i = 0; i < kinds[k]->field_count; i++) {
			uint64_t mask = kinds[k]->fields[i].mask;

			assert_true((mask & taken) == 0);
			assert_true(mask < below); /* the highest first */
			taken |= mask;
			below = mask;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancelled_invite),
		cmocka_unit_test(test_fork_that_is_stopped),
		cmocka_unit_test(test_other_than_invite),
		cmocka_unit_test(test_what_is_no_word),
		cmocka_unit_test(test_fields_do_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
