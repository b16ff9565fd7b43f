/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The trace store: what it keeps, forgets and finds.
 */
#include "fake_dataplane.h"
#include "trace/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct bp_trace_store *
store_of(uint32_t capacity)
{
	struct bp_trace_store *store = NULL;

	assert_int_equal(bp_trace_store_create(&store, capacity), 0);
	return store;
}

static void
add(struct bp_trace_store *store, uint64_t time_us, const char *call_id)
{
	struct bp_event_message event;

	fake_event(&event, time_us, "10.0.0.1:5060", 0, BP_IN, 0, BP_METHOD_BYE, (uint32_t)time_us,
		"BYE sip:a SIP/2.0");
	snprintf(event.call_id, sizeof(event.call_id), "%s", call_id);
	bp_trace_store_add(store, &event, 1);
}

static void
test_finds_a_call(void **state)
{
	struct bp_trace_store *store = store_of(100);
	struct bp_event_message *events;

	for (unsigned i = 0; i < 30; i++)
		add(store, i, i % 3 == 0 ? "a@b" : i % 3 == 1 ? "A@b" : "a@b ");
	assert_int_equal(bp_trace_store_call(store, "a@b", &events), 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(events[i].time_us, i * 3);
	free(events);
	assert_int_equal(bp_trace_store_call(store, "a@", &events), 0);
	assert_null(events);
	bp_trace_store_free(store);
}

static void
test_forgets_the_oldest(void **state)
{
	struct bp_trace_store *store = store_of(8);
	struct bp_event_message *events;

	for (unsigned i = 0; i < 21; i++)
		add(store, i, "a@b");
	assert_int_equal(bp_trace_store_call(store, "a@b", &events), 8);
	assert_int_equal(events[0].time_us, 13);
	assert_int_equal(events[7].time_us, 20);
	free(events);
	assert_int_equal(bp_trace_store_recent(store, 3, &events), 3);
	assert_int_equal(events[0].time_us, 18);
	free(events);
	assert_int_equal(bp_trace_store_recent(store, 1000, &events), 8);
	free(events);
	bp_trace_store_free(store);
}

/* Events of several workers come in turns; messages of the same time keep their order. */
static void
test_sorts_by_time(void **state)
{
	static const uint64_t times[] = {50, 10, 10, 40, 20, 60, 0};
	struct bp_event_message first[7];
	struct bp_trace_store *store = store_of(16);
	struct bp_event_message *events;

	for (size_t i = 0; i < 7; i++) {
		fake_event(&first[i], times[i], "10.0.0.1:5060", 0, BP_IN, 0, BP_METHOD_BYE, 1,
			"BYE sip:a SIP/2.0");
		first[i].size = (uint16_t)i;
		snprintf(first[i].call_id, sizeof(first[i].call_id), "a@b");
	}
	bp_trace_store_add(store, first, 7);
	assert_int_equal(bp_trace_store_call(store, "a@b", &events), 7);
	for (unsigned i = 1; i < 7; i++)
		assert_true(events[i - 1].time_us <= events[i].time_us);
	assert_int_equal(events[1].size, 1);
	assert_int_equal(events[2].size, 2);
	free(events);
	bp_trace_store_free(store);
}

/* An event has room for 127 bytes of a Call-ID. The whole one finds it, and nothing ends without a NUL. */
static void
test_long_call_id(void **state)
{
	struct bp_trace_store *store = store_of(4);
	struct bp_event_message event, *events;
	char longer[300];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	fake_event(&event, 1, "10.0.0.1:5060", 0, BP_IN, 0, BP_METHOD_BYE, 1, "");
	memset(event.call_id, 'x', sizeof(event.call_id));
	memset(event.start_line, 'y', sizeof(event.start_line));
	bp_trace_store_add(store, &event, 1);
	assert_int_equal(bp_trace_store_call(store, longer, &events), 1);
	assert_int_equal(strlen(events[0].call_id), sizeof(event.call_id) - 1);
	assert_int_equal(strlen(events[0].start_line), sizeof(event.start_line) - 1);
	free(events);
	bp_trace_store_free(store);
}

static void
test_bounded_answer(void **state)
{
	struct bp_trace_store *store = store_of(3000);
	struct bp_event_message *events;

	for (unsigned i = 0; i < 2500; i++)
		add(store, i, "loop@b");
	assert_int_equal(bp_trace_store_call(store, "loop@b", &events), BP_TRACE_ANSWER_MAX);
	assert_int_equal(events[0].time_us, 0); /* how it began */
	free(events);
	assert_int_equal(bp_trace_store_recent(store, 5000, &events), BP_TRACE_ANSWER_MAX);
	assert_int_equal(events[BP_TRACE_ANSWER_MAX - 1].time_us, 2499);
	free(events);
	bp_trace_store_free(store);
}

static void
test_nothing_kept(void **state)
{
	struct bp_trace_store *store = store_of(0);
	struct bp_event_message *events;

	add(store, 1, "a@b");
	assert_int_equal(bp_trace_store_call(store, "a@b", &events), 0);
	assert_int_equal(bp_trace_store_recent(store, 10, &events), 0);
	assert_null(events);
	bp_trace_store_free(store);
	bp_trace_store_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_a_call),
		cmocka_unit_test(test_forgets_the_oldest),
		cmocka_unit_test(test_sorts_by_time),
		cmocka_unit_test(test_long_call_id),
		cmocka_unit_test(test_bounded_answer),
		cmocka_unit_test(test_nothing_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
