/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The counting law: what holds, what is off, and what is only under way. The worker is
 * played by what happens between two looks.
 */
#include "fake_dataplane.h"
#include "law.h"
#include "state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct bp_dataplane dataplane;
static unsigned looks;

static int
setup(void **state)
{
	memset(&dataplane, 0, sizeof(dataplane));
	dataplane.workers = 2;
	looks = 0;
	return 0;
}

static void
count_look(void)
{
	looks++;
}

/* The message that was being handled gets its disposition, on another worker than the one that received it.
 */
static void
finish_message(void)
{
	looks++;
	if (looks == 3)
		bp_count(&dataplane.counters[1].forwarded, 1);
}

static void
assert_law(const char *expected, unsigned attempts, void (*between)(void))
{
	struct bp_law law;
	char text[128];

	bp_law_check(&dataplane, attempts, between, &law);
	assert_string_equal(bp_law_text(&law, text, sizeof(text)), expected);
}

static void
test_holds(void **state)
{
	struct bp_counters *c = dataplane.counters;

	assert_law("holds", 5, count_look);
	c[0].messages_received = 10;
	c[0].forwarded = 3;
	c[1].messages_received = 5;
	c[1].answered = 6;
	c[1].absorbed = 4;
	c[0].drops[BP_DROP_response_malformed] = 1;
	c[1].drops[BP_DROP_request_malformed] = 1;
	assert_law("holds", 5, count_look);
	assert_int_equal(looks, 0); /* the first look is enough */
}

/* Frames that never became a message and outputs that failed have no part in it. */
static void
test_scopes(void **state)
{
	struct bp_counters *c = dataplane.counters;

	c[0].messages_received = 2;
	c[0].forwarded = 1;
	c[0].drops[BP_DROP_udp_port_closed] = 1;
	assert_law("off by 1: 2 received, 1 accounted for", 3, count_look);
	c[0].drops[BP_DROP_tx_no_route] = 1;
	assert_law("off by 1: 2 received, 1 accounted for", 3, count_look);
	c[0].drops[BP_DROP_ack_unmatched] = 1;
	assert_law("holds", 3, count_look);
	assert_int_equal(bp_law_dropped(&c[0]), 1);
	assert_int_equal(bp_law_accounted(&c[0]), 2);
}

static void
test_off(void **state)
{
	struct bp_counters *c = dataplane.counters;

	c[0].messages_received = 7;
	c[0].forwarded = 6;
	assert_law("off by 1: 7 received, 6 accounted for", 10, count_look);
	assert_int_equal(looks, 9);
	c[0].absorbed = 3;
	assert_law("off by -2: 7 received, 9 accounted for", 2, count_look);
	c[0].absorbed = 4;
	assert_law("off by -3: 7 received, 10 accounted for", 1, count_look);
}

/* In the middle of a message, for a while. */
static void
test_under_way(void **state)
{
	dataplane.counters[0].messages_received = 1;
	assert_law("holds", 10, finish_message);
	assert_int_equal(looks, 3);
}

/* A worker under load that is met between two messages each time: the one that it had in hand is done, it has
 * the next. */
static void
next_message(void)
{
	looks++;
	bp_count(&dataplane.counters[0].forwarded, 1);
	bp_count(&dataplane.counters[0].messages_received, 1);
}

/* Nothing arrives in the instant of a look, and yet a message is in hand at each of them. */
static void
test_one_in_hand(void **state)
{
	struct bp_counters *c = dataplane.counters;

	c[0].messages_received = 1;
	assert_law("holds", 3, next_message);
	assert_int_equal(looks, 2);
	c[1].messages_received = 1; /* the other worker may have one too */
	assert_law("holds", 3, next_message);
	c[1].messages_received = 2; /* but not two */
	assert_law("off by 3: 9 received, 6 accounted for", 3, next_message);
	c[1].messages_received = 0;
	assert_law("off by 1: 7 received, 6 accounted for", 3, count_look); /* it rests, and one is missing */
	assert_law("holds", 1, count_look); /* who looks once cannot know */
}

/* A worker that never rests: one more message whenever somebody looks. */
static void
receive_one(struct bp_dataplane *d)
{
	bp_count(&d->counters[0].messages_received, 1);
	bp_count(&d->counters[0].forwarded, 1);
}

/* While messages keep coming, what is in flight is no fault; more than that is. */
static void
test_busy(void **state)
{
	struct bp_counters *c = dataplane.counters;
	struct bp_law law;

	dataplane.on_counters = receive_one;
	c[1].messages_received = 1;
	bp_law_check(&dataplane, 3, count_look, &law);
	assert_true(law.holds);
	assert_int_equal(looks, 2); /* it never was quiet */
	c[1].messages_received = 1000;
	bp_law_check(&dataplane, 3, count_look, &law);
	assert_false(law.holds);
	c[1].messages_received = 0;
	c[1].absorbed = 1000;
	bp_law_check(&dataplane, 3, count_look, &law);
	assert_false(law.holds);
}

static void
test_live(void **state)
{
	struct bp_counters sum = {0};
	struct bp_live live;

	sum.transactions_created[BP_KIND_INVITE] = 5;
	sum.transactions_ended[BP_KIND_INVITE] = 3;
	sum.transactions_created[BP_KIND_NON_INVITE] = 1;
	sum.transactions_ended[BP_KIND_NON_INVITE] = 2; /* seen before its making was */
	sum.dialogs_created = 10;
	sum.dialogs_ended[BP_DIALOG_END_bye] = 4;
	sum.dialogs_ended[BP_DIALOG_END_expired] = 1;
	sum.calls_reserved = 9;
	sum.calls_released = 8;
	sum.kept_taken = 3;
	sum.kept_returned = 3;
	bp_live_of(&sum, &live);
	assert_int_equal(live.transactions[BP_KIND_INVITE], 2);
	assert_int_equal(live.transactions[BP_KIND_NON_INVITE], 0);
	assert_int_equal(live.dialogs, 5);
	assert_int_equal(live.calls, 1);
	assert_int_equal(live.kept, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_holds, setup),
		cmocka_unit_test_setup(test_scopes, setup),
		cmocka_unit_test_setup(test_off, setup),
		cmocka_unit_test_setup(test_under_way, setup),
		cmocka_unit_test_setup(test_one_in_hand, setup),
		cmocka_unit_test_setup(test_busy, setup),
		cmocka_unit_test_setup(test_live, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
