/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Messages to trace events: filling, hostile text, the full ring.
 */
#include "worker/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define RING 8

static struct bp_counters counters;
static const struct bp_flow flow = {.port = 5061, .listener = 3};

static int
setup(void **state)
{
	struct bp_trace *trace;
	int rc = bp_trace_create(&trace, 2, RING, &counters);

	memset(&counters, 0, sizeof(counters));
	*state = trace;
	return rc;
}

static int
teardown(void **state)
{
	bp_trace_free(*state);
	return 0;
}

static void
put(struct bp_trace *trace, enum bp_direction direction, const char *text, size_t size, uint64_t time_us)
{
	uint8_t *exact = malloc(size); /* so that ASan sees a read past the end */

	memcpy(exact, text, size);
	bp_trace_message(trace, direction, &flow, exact, (uint32_t)size, time_us);
	free(exact);
}

#define REST                                                                                                 \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"      \
	"Call-ID: %s\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n"

static void
test_request_and_response(void **state)
{
	struct bp_event_message event;
	char text[1024];
	int size = snprintf(text, sizeof(text), "\r\nINVITE sip:bob@example.com SIP/2.0\r\n" REST, "abc@host",
		314u, "INVITE");

	put(*state, BP_IN, text, (size_t)size, 1234);
	assert_int_equal(bp_trace_take(*state, &event, 1), 1);
	assert_int_equal(event.time_us, 1234);
	assert_memory_equal(&event.flow, &flow, sizeof(flow));
	assert_int_equal(event.size, size);
	assert_int_equal(event.status, 0);
	assert_int_equal(event.direction, BP_IN);
	assert_int_equal(event.method, BP_METHOD_INVITE);
	assert_int_equal(event.worker, 2);
	assert_int_equal(event.cseq, 314);
	assert_string_equal(event.call_id, "abc@host");
	assert_string_equal(event.start_line, "INVITE sip:bob@example.com SIP/2.0");

	size = snprintf(text, sizeof(text), "SIP/2.0 487 Request Terminated\r\n" REST, "abc@host",
		4000000000u, "CANCEL");
	put(*state, BP_OUT, text, (size_t)size, 5678);
	assert_int_equal(bp_trace_take(*state, &event, 1), 1);
	assert_int_equal(event.status, 487);
	assert_int_equal(event.direction, BP_OUT);
	assert_int_equal(event.method, BP_METHOD_CANCEL);
	assert_int_equal(event.cseq, 4000000000);
	assert_string_equal(event.start_line, "SIP/2.0 487 Request Terminated");
	assert_int_equal(bp_trace_take(*state, &event, 1), 0);
}

static void
test_long_texts_are_cut(void **state)
{
	struct bp_event_message event;
	char call_id[301], user[301], text[2048];
	int size;

	memset(call_id, 'c', 300);
	memset(user, 'u', 300);
	call_id[300] = user[300] = '\0';
	size = snprintf(text, sizeof(text), "BYE sip:%s@b SIP/2.0\r\n" REST, user, call_id, 1u, "BYE");
	put(*state, BP_IN, text, (size_t)size, 1);
	assert_int_equal(bp_trace_take(*state, &event, 1), 1);
	assert_int_equal(strlen(event.call_id), sizeof(event.call_id) - 1);
	assert_int_equal(strlen(event.start_line), sizeof(event.start_line) - 1);
	assert_memory_equal(event.call_id, call_id, sizeof(event.call_id) - 1);
	assert_memory_equal(event.start_line, "BYE sip:uuu", 11);
}

static void
test_garbage_is_traced_harmlessly(void **state)
{
	static const char garbage[] = "\x1b[2J\x07 what\x7f is\tthis";
	struct bp_event_message event;

	put(*state, BP_IN, garbage, sizeof(garbage) - 1, 1);
	assert_int_equal(bp_trace_take(*state, &event, 1), 1);
	assert_string_equal(event.start_line, ".[2J. what. is.this");
	assert_string_equal(event.call_id, "");
	put(*state, BP_IN, "\r\n\r\n", 4, 1); /* a keepalive is no message */
	put(*state, BP_IN, "", 0, 1);
	assert_int_equal(bp_trace_take(*state, &event, 1), 0);
}

static void
test_full_ring_counts_what_is_lost(void **state)
{
	struct bp_event_message events[RING];
	char text[1024];

	for (unsigned i = 0; i < RING + 3; i++) {
		int size = snprintf(
			text, sizeof(text), "OPTIONS sip:a@b SIP/2.0\r\n" REST, "x", i + 1, "OPTIONS");

		put(*state, BP_IN, text, (size_t)size, i);
	}
	assert_int_equal(counters.drops[BP_DROP_trace_ring_full], 4); /* a ring holds its size less one */
	assert_int_equal(bp_trace_take(*state, events, RING), RING - 1);
	for (unsigned i = 0; i < RING - 1; i++)
		assert_int_equal(events[i].cseq, i + 1); /* the oldest stay */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request_and_response, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_texts_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage_is_traced_harmlessly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_ring_counts_what_is_lost, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
