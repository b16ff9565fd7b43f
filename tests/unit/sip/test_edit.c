/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edit list, each edit of a proxy, and the messages that the edge builds itself.
 * RFC 3261 8.2.6, 9.1, 16.4-16.7, 17.1.1.3, 18.2.1; RFC 3581 4.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE "INVITE sip:bob@h SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
#define REST "From: sip:a@h;tag=1\r\nTo: sip:b@h\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n"

static struct bp_sip_message m;
static struct bp_edits e;

static void
begin(const char *text)
{
	parse_text(&m, text);
	bp_edits_begin(&e, &m);
}

static void
expect(const char *expected)
{
	uint8_t out[4096];
	uint32_t size = bp_edits_size(&e);

	assert_false(e.overflow);
	assert_int_equal(bp_edits_apply(&e, out, sizeof(out) - 1), size);
	out[size] = 0;
	assert_string_equal((char *)out, expected);
	/* exactly the size it said, and nothing when there is less room */
	assert_int_equal(bp_edits_apply(&e, out, size), size);
	assert_int_equal(bp_edits_apply(&e, out, size - 1), 0);
}

static void
primitive(void **state)
{
	begin(LINE VIA REST "\r\nbody");
	expect(LINE VIA REST "\r\nbody");
	bp_edit_replace(&e, m.size, 0, "!", 1);
	bp_edit_replace(&e, 0, 0, "1", 1);
	bp_edit_replace(&e, 0, 6, "PUBLISH", 7);
	bp_edit_replace(&e, 0, 0, "2", 1);
	bp_edit_replace(&e, m.body_offset, 4, NULL, 0);
	bp_edit_replace(&e, m.body_offset, 0, "B", 1);
	expect("1PUBLISH2 sip:bob@h SIP/2.0\r\n" VIA REST "\r\nB!");
}

static void
refused(void **state)
{
	uint8_t out[16];

	begin(LINE VIA REST "\r\n");
	bp_edit_replace(&e, 4, 4, "x", 1);
	bp_edit_replace(&e, 0, 4, "x", 1); /* up to it: no overlap */
	bp_edit_replace(&e, 8, 0, "x", 1);
	assert_false(e.overflow);
	bp_edit_replace(&e, 5, 0, "x", 1);
	assert_true(e.overflow);
	assert_int_equal(bp_edits_size(&e), 0);
	assert_int_equal(bp_edits_apply(&e, out, sizeof(out)), 0);

	bp_edits_begin(&e, &m);
	bp_edit_replace(&e, 4, 4, "x", 1);
	bp_edit_replace(&e, 4, 1, "x", 1);
	assert_true(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_replace(&e, 4, 4, "x", 1);
	bp_edit_replace(&e, 2, 3, "x", 1);
	assert_true(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_replace(&e, 4, 4, "x", 1);
	bp_edit_replace(&e, 4, 0, "y", 1);
	bp_edit_replace(&e, 6, 1, "x", 1); /* an insertion in between hides no removal */
	assert_true(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_replace(&e, (uint16_t)(m.size - 1), 2, "x", 1);
	assert_true(e.overflow);

	bp_edits_begin(&e, &m);
	for (unsigned i = 0; i < BP_EDITS_MAX; i++)
		bp_edit_replace(&e, 0, 0, "x", 1);
	assert_false(e.overflow);
	assert_int_equal(bp_edits_size(&e), m.size + BP_EDITS_MAX);
	bp_edit_replace(&e, 0, 0, "x", 1);
	assert_true(e.overflow);
}

static void
text_overflow(void **state)
{
	static char text[BP_EDITS_TEXT + 1];

	begin(LINE VIA REST "\r\n");
	memset(text, 'x', sizeof(text));
	bp_edit_replace(&e, 0, 0, text, BP_EDITS_TEXT);
	assert_false(e.overflow);
	bp_edit_push_header(&e, BP_SIP_VIA, text, 1);
	assert_true(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_push_header(&e, BP_SIP_VIA, text, BP_EDITS_TEXT - 1);
	assert_true(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_push_header(&e, BP_SIP_VIA, text, BP_EDITS_TEXT - 2);
	assert_false(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_append_route(&e, text, BP_EDITS_TEXT - 10);
	assert_true(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_append_route(&e, text, BP_EDITS_TEXT - 11);
	assert_false(e.overflow);
	bp_edits_begin(&e, &m);
	bp_edit_replace_header(&e, BP_SIP_EXPIRES, text, BP_EDITS_TEXT - 10);
	assert_true(e.overflow);
}

static void
too_large(void **state)
{
	static uint8_t out[70000];
	char *text = malloc(65535);

	memset(text, 'x', 65535);
	memcpy(text, LINE VIA REST "\r\n", strlen(LINE VIA REST "\r\n"));
	parse_bytes(&m, text, 65507);
	free(text);
	bp_edits_begin(&e, &m);
	assert_int_equal(bp_edits_apply(&e, out, sizeof(out)), 65507);
	bp_edit_replace(&e, 0, 0, "x", 1);
	assert_int_equal(bp_edits_apply(&e, out, sizeof(out)), 0);
}

static void
via(void **state)
{
	begin(LINE VIA "v: SIP/2.0/UDP b\r\n" REST "\r\n");
	bp_edit_pop_via(&e);
	expect(LINE "v: SIP/2.0/UDP b\r\n" REST "\r\n");
	begin(LINE "Via: SIP/2.0/UDP a;x=\"1,2\" ,\r\n SIP/2.0/UDP b\r\n" REST "\r\n");
	bp_edit_pop_via(&e);
	expect(LINE "Via: SIP/2.0/UDP b\r\n" REST "\r\n");
	begin(LINE REST VIA "\r\n");
	bp_edit_push_header(&e, BP_SIP_VIA, "Via: x", 6);
	bp_edit_push_header(&e, BP_SIP_RECORD_ROUTE, "Record-Route: <y>", 17);
	bp_edit_pop_via(&e);
	expect(LINE "Record-Route: <y>\r\n" REST "Via: x\r\n\r\n");
}

static void
routes(void **state)
{
	const char *two = LINE VIA "Route: <a>, <b>\r\nX: y\r\nroute: <c> ,<d>\r\n" REST "\r\n";

	begin(two);
	bp_edit_pop_routes(&e, 0);
	expect(two);
	begin(two);
	bp_edit_pop_routes(&e, 1);
	expect(LINE VIA "Route: <b>\r\nX: y\r\nroute: <c> ,<d>\r\n" REST "\r\n");
	begin(two);
	bp_edit_pop_routes(&e, 2);
	expect(LINE VIA "X: y\r\nroute: <c> ,<d>\r\n" REST "\r\n");
	begin(two);
	bp_edit_pop_routes(&e, 3);
	expect(LINE VIA "X: y\r\nroute: <d>\r\n" REST "\r\n");
	begin(two);
	bp_edit_pop_routes(&e, 9);
	expect(LINE VIA "X: y\r\n" REST "\r\n");
	begin(two);
	bp_edit_pop_last_route(&e);
	bp_edit_pop_routes(&e, 1);
	expect(LINE VIA "Route: <b>\r\nX: y\r\nroute: <c>\r\n" REST "\r\n");
	begin(LINE VIA "Route: <a>\r\n" REST "\r\n");
	bp_edit_pop_last_route(&e);
	expect(LINE VIA REST "\r\n");
	/* strict routing downstream: the first goes into the Request-URI, which goes to the end */
	begin(LINE VIA "Route: <a>\r\n" REST "\r\n");
	bp_edit_pop_routes(&e, 1);
	bp_edit_append_route(&e, "sip:bob@h", 9);
	bp_edit_request_uri(&e, "a", 1);
	expect("INVITE a SIP/2.0\r\n" VIA "Route: <sip:bob@h>\r\n" REST "\r\n");
	begin(LINE VIA REST "\r\n");
	bp_edit_append_route(&e, "sip:bob@h", 9);
	bp_edit_pop_routes(&e, 1);
	bp_edit_pop_last_route(&e);
	expect(LINE "Route: <sip:bob@h>\r\n" VIA REST "\r\n");
	begin(two);
	bp_edit_append_route(&e, "z", 1);
	expect(LINE VIA "Route: <a>, <b>\r\nX: y\r\nroute: <c> ,<d>\r\nRoute: <z>\r\n" REST "\r\n");
}

struct received_row {
	const char *before;
	const char *from;
	const char *after;
};

static void
received(void **state)
{
	static const struct received_row rows[] = {
		{"SIP/2.0/UDP 192.0.2.1:5060;branch=z", "192.0.2.1", "SIP/2.0/UDP 192.0.2.1:5060;branch=z"},
		{"SIP/2.0/UDP host;branch=z", "192.0.2.1", "SIP/2.0/UDP host;branch=z;received=192.0.2.1"},
		{"SIP/2.0/UDP 10.0.0.1", "192.0.2.1", "SIP/2.0/UDP 10.0.0.1;received=192.0.2.1"},
		{"SIP/2.0/UDP 192.0.2.1;rport;branch=z", "192.0.2.1",
			"SIP/2.0/UDP 192.0.2.1;rport=4711;branch=z;received=192.0.2.1"},
		{"SIP/2.0/UDP 192.0.2.1;branch=z;rport", "192.0.2.1",
			"SIP/2.0/UDP 192.0.2.1;branch=z;rport=4711;received=192.0.2.1"},
		{"SIP/2.0/UDP h;RPORT = 99 ;branch=z", "192.0.2.1",
			"SIP/2.0/UDP h;RPORT=4711 ;branch=z;received=192.0.2.1"},
		{"SIP/2.0/UDP h;received=6.6.6.6;branch=z", "192.0.2.1",
			"SIP/2.0/UDP h;received=192.0.2.1;branch=z"},
		{"SIP/2.0/UDP 192.0.2.1;received=6.6.6.6", "192.0.2.1",
			"SIP/2.0/UDP 192.0.2.1;received=192.0.2.1"},
		{"SIP/2.0/UDP h;received=6.6.6.6;rport , SIP/2.0/UDP i", "192.0.2.1",
			"SIP/2.0/UDP h;received=192.0.2.1;rport=4711 , SIP/2.0/UDP i"},
		{"SIP/2.0/UDP h , SIP/2.0/UDP i", "192.0.2.1",
			"SIP/2.0/UDP h;received=192.0.2.1 , SIP/2.0/UDP i"},
		{"SIP/2.0/UDP [2001:db8:0::1]", "[2001:db8::1]", "SIP/2.0/UDP [2001:db8:0::1]"},
		{"SIP/2.0/UDP [2001:db8::2]:5060", "[2001:db8::1]",
			"SIP/2.0/UDP [2001:db8::2]:5060;received=2001:db8::1"},
		{"SIP/2.0/UDP [::ffff:192.0.2.1]", "192.0.2.1", "SIP/2.0/UDP [::ffff:192.0.2.1]"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512], expected[512];
		struct bp_ip ip;

		assert_true(bp_sip_host_ip((const uint8_t *)rows[i].from,
			(struct bp_span){0, (uint16_t)strlen(rows[i].from)}, &ip));
		snprintf(text, sizeof(text), LINE "Via: %s\r\n" REST "\r\n", rows[i].before);
		snprintf(expected, sizeof(expected), LINE "Via: %s\r\n" REST "\r\n", rows[i].after);
		begin(text);
		assert_int_equal(m.fault, BP_SIP_FAULT_NONE);
		bp_edit_via_received(&e, &ip, 4711);
		expect(expected);
	}
}

static void
headers(void **state)
{
	begin(LINE VIA "Max-Forwards: 70\r\n" REST "\r\n");
	bp_edit_max_forwards(&e, 69);
	expect(LINE VIA "Max-Forwards: 69\r\n" REST "\r\n");
	begin(LINE VIA REST "\r\n");
	bp_edit_max_forwards(&e, 0);
	expect(LINE "Max-Forwards: 0\r\n" VIA REST "\r\n");
	begin(LINE VIA "k: a\r\nSupported: b\r\n" REST "\r\n");
	bp_edit_delete_header(&e, BP_SIP_SUPPORTED);
	bp_edit_delete_header(&e, BP_SIP_PATH);
	expect(LINE VIA REST "\r\n");
	begin(LINE VIA "Supported:\r\n" REST "\r\n");
	bp_edit_replace_header(&e, BP_SIP_SUPPORTED, "x", 1);
	bp_edit_replace_header(&e, BP_SIP_EXPIRES, "9", 1);
	expect(LINE "Expires: 9\r\n" VIA "Supported:x\r\n" REST "\r\n");
}

static void
body(void **state)
{
	begin(LINE VIA "l: 4\r\n" REST "\r\nbodyjunk");
	bp_edit_body(&e, (const uint8_t *)"other body", 10);
	expect(LINE VIA "l: 10\r\n" REST "\r\nother body");
	begin(LINE VIA REST "\r\n");
	bp_edit_body(&e, (const uint8_t *)"new", 3);
	expect(LINE "Content-Length: 3\r\n" VIA REST "\r\nnew");
	begin(LINE VIA REST "\r\nold");
	bp_edit_body(&e, NULL, 0);
	expect(LINE "Content-Length: 0\r\n" VIA REST "\r\n");
	begin("\r\n\r\n" LINE VIA REST "\r\n"); /* what stands before the message goes */
	expect(LINE VIA REST "\r\n");
}

static uint8_t out[4096];

static void
expect_built(uint32_t size, const char *expected)
{
	assert_in_range(size, 1, sizeof(out) - 1);
	out[size] = 0;
	assert_string_equal((char *)out, expected);
}

static void
responses(void **state)
{
	static const uint8_t address[4] = {192, 0, 2, 9};
	struct bp_flow from = {.ip = bp_ip_from_v4(address), .port = 5099};
	uint32_t size;

	parse_text(&m, LINE "v: SIP/2.0/UDP a;rport, SIP/2.0/UDP b\r\nTimestamp: 54\r\nVia: SIP/2.0/UDP "
			    "c\r\nRecord-Route: <r>\r\n" REST "\r\n");
	expect_built(bp_build_response(&m, 100, NULL, &from, "tag", NULL, out, sizeof(out)),
		"SIP/2.0 100 Trying\r\nv: SIP/2.0/UDP a;rport=5099;received=192.0.2.9, SIP/2.0/UDP b\r\nVia: "
		"SIP/2.0/UDP c\r\n" REST "Timestamp: 54\r\nContent-Length: 0\r\n\r\n");
	expect_built(bp_build_response(&m, 503, "Full", &from, "xyz", "Retry-After: 5\r\n", out, sizeof(out)),
		"SIP/2.0 503 Full\r\nv: SIP/2.0/UDP a;rport=5099;received=192.0.2.9, SIP/2.0/UDP b\r\nVia: "
		"SIP/2.0/UDP c\r\n"
		"From: sip:a@h;tag=1\r\nTo: sip:b@h;tag=xyz\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n"
		"Retry-After: 5\r\nContent-Length: 0\r\n\r\n");
	parse_text(&m, "BYE sip:b@h SIP/2.0\r\n" VIA
		       "f :\r\n sip:a@h\r\nTo: sip:b@h;tag=2\r\ni: c\r\nCSeq: 7 BYE\r\n\r\n");
	expect_built(bp_build_response(&m, 481, NULL, &from, "xyz", NULL, out, sizeof(out)),
		"SIP/2.0 481 Call/Transaction Does Not Exist\r\nVia: SIP/2.0/UDP "
		"192.0.2.1:5060;branch=z9hG4bK1;received=192.0.2.9\r\n"
		"f: sip:a@h\r\nTo: sip:b@h;tag=2\r\ni: c\r\nCSeq: 7 BYE\r\nContent-Length: 0\r\n\r\n");
	size = bp_build_response(&m, 481, NULL, &from, "xyz", NULL, out, sizeof(out));
	for (uint32_t capacity = 0; capacity < size; capacity++) {
		uint8_t *exact = malloc(capacity ? capacity : 1);

		assert_int_equal(bp_build_response(&m, 481, NULL, &from, "xyz", NULL, exact, capacity), 0);
		free(exact);
	}
}

/* Faulty requests are answered from what there is. */
static void
faulty(void **state)
{
	static const uint8_t address[4] = {192, 0, 2, 9};
	struct bp_flow from = {.ip = bp_ip_from_v4(address), .port = 5099};

	assert_int_equal(parse_text(&m, LINE "Via: SIP/2.0/UDP a;;\r\n" REST "X: y"), BP_SIP_FAULT_NO_END);
	assert_true(bp_sip_answerable(&m));
	expect_built(
		bp_build_response(&m, 400, bp_sip_fault_text(m.fault), &from, "xyz", NULL, out, sizeof(out)),
		"SIP/2.0 400 Headers Do Not End\r\nVia: SIP/2.0/UDP a;;\r\nFrom: sip:a@h;tag=1\r\nTo: "
		"sip:b@h;tag=xyz\r\n"
		"Call-ID: c\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n");
}

static void
hop_requests(void **state)
{
	static struct bp_sip_message response;
	const char *answer =
		"SIP/2.0 487 Request Terminated\r\n" VIA "From: sip:a@h;tag=1\r\nTo: sip:b@h;tag=far\r\n"
		"Call-ID: c\r\nCSeq: 7 INVITE\r\n\r\n";

	parse_text(&m, LINE "Via: SIP/2.0/UDP us;branch=z9hG4bKus\r\n" VIA
			    "Route: <r1>,<r2>\r\nRequire: x\r\nRoute: <r3>\r\n" REST
			    "Content-Length: 4\r\n\r\nbody");
	bp_sip_parse(&response, (const uint8_t *)answer, (uint32_t)strlen(answer), NULL);
	expect_built(bp_build_ack(&m, &response, out, sizeof(out)),
		"ACK sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKus\r\nMax-Forwards: 70\r\nRoute: "
		"<r1>,<r2>\r\n"
		"Route: <r3>\r\nFrom: sip:a@h;tag=1\r\nTo: sip:b@h;tag=far\r\nCall-ID: c\r\nCSeq: 7 "
		"ACK\r\nContent-Length: 0\r\n\r\n");
	expect_built(bp_build_cancel(&m, "Reason: SIP;cause=200\r\n", 23, out, sizeof(out)),
		"CANCEL sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKus\r\nMax-Forwards: "
		"70\r\nRoute: <r1>,<r2>\r\n"
		"Route: <r3>\r\nFrom: sip:a@h;tag=1\r\nTo: sip:b@h\r\nCall-ID: c\r\nCSeq: 7 CANCEL\r\n"
		"Reason: SIP;cause=200\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(bp_build_cancel(&m, NULL, 0, out, 100), 0);
	assert_int_equal(bp_build_ack(&m, &response, out, 100), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(primitive),
		cmocka_unit_test(refused),
		cmocka_unit_test(text_overflow),
		cmocka_unit_test(too_large),
		cmocka_unit_test(via),
		cmocka_unit_test(routes),
		cmocka_unit_test(received),
		cmocka_unit_test(headers),
		cmocka_unit_test(body),
		cmocka_unit_test(responses),
		cmocka_unit_test(faulty),
		cmocka_unit_test(hop_requests),
	};

	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
