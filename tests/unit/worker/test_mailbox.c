/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Commands and their acknowledgements, both ends in one thread.
 */
#include "worker/mailbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int
setup(void **state)
{
	static struct bp_mailbox mailbox;

	*state = &mailbox;
	return bp_mailbox_create(&mailbox);
}

static int
teardown(void **state)
{
	bp_mailbox_free(*state);
	return 0;
}

static void
test_acknowledged(void **state)
{
	struct bp_mailbox *mailbox = *state;
	struct bp_mail mail;
	uint64_t number;

	assert_false(bp_mailbox_take(mailbox, &mail));
	assert_int_equal(bp_mailbox_post(mailbox, BP_COMMAND_DRAIN, &number), 0);
	assert_int_equal(bp_mailbox_wait(mailbox, number, 0), -ETIMEDOUT);
	assert_true(bp_mailbox_take(mailbox, &mail));
	assert_int_equal(mail.command, BP_COMMAND_DRAIN);
	assert_int_equal(bp_mailbox_wait(mailbox, number, 0), -ETIMEDOUT); /* taken is not done */
	bp_mailbox_acknowledge(mailbox, &mail);
	assert_int_equal(bp_mailbox_wait(mailbox, number, 0), 0);
	assert_int_equal(bp_mailbox_wait(mailbox, number, 1000000), 0);
}

static void
test_in_order(void **state)
{
	struct bp_mailbox *mailbox = *state;
	uint64_t first, second;
	struct bp_mail mail;

	bp_mailbox_post(mailbox, BP_COMMAND_PING, &first);
	bp_mailbox_post(mailbox, BP_COMMAND_DRAIN, &second);
	assert_int_equal(second, first + 1);
	assert_true(bp_mailbox_take(mailbox, &mail));
	assert_int_equal(mail.command, BP_COMMAND_PING);
	bp_mailbox_acknowledge(mailbox, &mail);
	assert_int_equal(bp_mailbox_wait(mailbox, first, 0), 0);
	assert_int_equal(bp_mailbox_wait(mailbox, second, 0), -ETIMEDOUT);
	assert_true(bp_mailbox_take(mailbox, &mail));
	bp_mailbox_acknowledge(mailbox, &mail);
	assert_int_equal(bp_mailbox_wait(mailbox, second, 0), 0);
	assert_int_equal(bp_mailbox_wait(mailbox, first, 0), 0);
}

static void
test_full_when_nobody_reads(void **state)
{
	struct bp_mailbox *mailbox = *state;
	uint64_t number = 0, last = 0;
	struct bp_mail mail;

	for (unsigned i = 0; i < BP_MAILBOX_SIZE - 1; i++)
		assert_int_equal(bp_mailbox_post(mailbox, BP_COMMAND_PING, &last), 0);
	assert_int_equal(bp_mailbox_post(mailbox, BP_COMMAND_PING, &number), -ENOBUFS);
	assert_int_equal(number, 0);
	assert_true(bp_mailbox_take(mailbox, &mail));
	assert_int_equal(bp_mailbox_post(mailbox, BP_COMMAND_PING, &number), 0);
	assert_int_equal(number, last + 1); /* the refused one has taken no number */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_acknowledged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_when_nobody_reads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
