/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whole messages: what a proxy reads from them, each fault, the limits, and where a
 * message begins and ends in its datagram. RFC 3261 7, 8.1.1, 16.3, 18.3.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE "INVITE sip:bob@biloxi.com SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776\r\n"
#define FROM "From: Alice <sip:alice@atlanta.com>;tag=19283\r\n"
#define TO "To: Bob <sip:bob@biloxi.com>\r\n"
#define CALL_ID "Call-ID: a84b4c76e66710\r\n"
#define CSEQ "CSeq: 314159 INVITE\r\n"
#define MF "Max-Forwards: 70\r\n"
#define ALL VIA FROM TO CALL_ID CSEQ

static struct bp_sip_message m;

static void
request(void **state)
{
	assert_int_equal(
		parse_text(&m, LINE ALL MF "Contact: <sip:alice@pc33>\r\nContent-Length: 4\r\n\r\nbody"),
		BP_SIP_FAULT_NONE);
	assert_int_equal(m.status, 0);
	assert_int_equal(m.method, BP_METHOD_INVITE);
	assert_span(&m, m.method_text, "INVITE");
	assert_span(&m, m.uri, "sip:bob@biloxi.com");
	assert_span(&m, m.target.user, "bob");
	assert_span(&m, m.target.host, "biloxi.com");
	assert_span(&m, m.via.sent_by, "pc33.atlanta.com");
	assert_span(&m, m.via.branch, "z9hG4bK776");
	assert_span(&m, m.from_tag, "19283");
	assert_int_equal(m.to_tag.size, 0);
	assert_span(&m, m.call_id, "a84b4c76e66710");
	assert_span(&m, m.cseq_method, "INVITE");
	assert_int_equal(m.cseq, 314159);
	assert_int_equal(m.max_forwards, 70);
	assert_int_equal(m.header_count, 8);
	assert_span(&m, m.body, "body");
	assert_int_equal(m.body_offset + 4, m.size);
	assert_span(&m, m.headers[7].line, "Content-Length: 4\r\n");
	assert_span(&m, m.headers[7].name, "Content-Length");
	assert_int_equal(m.headers_offset, strlen(LINE));
	assert_null(bp_sip_first(&m, BP_SIP_ROUTE));
}

static void
response(void **state)
{
	assert_int_equal(parse_text(&m, "SIP/2.0 183 Session Progress\r\n" ALL "\r\n"), BP_SIP_FAULT_NONE);
	assert_int_equal(m.status, 183);
	assert_int_equal(m.method, BP_METHOD_INVITE);
	assert_span(&m, m.reason, "Session Progress");
	assert_int_equal(m.max_forwards, -1);
	assert_int_equal(m.body.size, 0);
	assert_int_equal(m.target.whole.size, 0);
	assert_int_equal(parse_text(&m, "sip/2.0 200\r\n" ALL "\r\n"), BP_SIP_FAULT_NONE);
	assert_int_equal(m.status, 200);
	assert_int_equal(m.reason.size, 0);
}

static void
spaces_and_folds(void **state)
{
	assert_int_equal(parse_text(&m, LINE
				 "v :\r\n SIP/2.0/UDP h;branch=z9hG4bKx  \r\nf:\tsip:a@h \r\n\t;tag=7\r\nTO: "
				 "sip:b@h\r\n"
				 "i:x\r\ncseq:\r\n 1\r\n INVITE \r\nSubject: a\r\n  b\r\n \r\nL: 0\r\n\r\n"),
		BP_SIP_FAULT_NONE);
	assert_span(&m, m.via.branch, "z9hG4bKx");
	assert_span(&m, m.from_tag, "7");
	assert_span(&m, m.call_id, "x");
	assert_int_equal(m.cseq, 1);
	assert_span(&m, bp_sip_find(&m, "subject")->value, "a\r\n  b");
	assert_span(&m, bp_sip_find(&m, "Subject")->line, "Subject: a\r\n  b\r\n \r\n");
	assert_span(&m, bp_sip_find(&m, "call-id")->name, "i");
	assert_null(bp_sip_find(&m, "Object"));
}

/* Lines of one header are chained, whatever stands between them; unknown ones too. */
static void
chains(void **state)
{
	const struct bp_sip_header *header;

	assert_int_equal(
		parse_text(&m, LINE
			"Q: 1\r\n" ALL
			"Route: <sip:r1;lr>\r\nY: 2\r\nroute: <sip:r2;lr>\r\nRoute: <sip:r3;lr>\r\n\r\n"),
		BP_SIP_FAULT_NONE);
	header = bp_sip_first(&m, BP_SIP_ROUTE);
	assert_span(&m, header->value, "<sip:r1;lr>");
	header = bp_sip_next(&m, header);
	assert_span(&m, header->value, "<sip:r2;lr>");
	header = bp_sip_next(&m, header);
	assert_span(&m, header->value, "<sip:r3;lr>");
	assert_null(bp_sip_next(&m, header));
	header = bp_sip_first(&m, BP_SIP_OTHER);
	assert_span(&m, header->value, "1");
	assert_span(&m, bp_sip_next(&m, header)->value, "2");
}

struct row {
	const char *text;
	enum bp_sip_fault fault;
	int answerable;
};

static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum bp_sip_fault fault = parse_text(&m, rows[i].text);

		if (fault != rows[i].fault)
			fail_msg("\"%s\" (%d) for\n%s", bp_sip_fault_text(fault), m.fault_offset,
				rows[i].text);
		if (fault && bp_sip_answerable(&m) != rows[i].answerable)
			fail_msg("answerable is %d for\n%s", !rows[i].answerable, rows[i].text);
		assert_true(m.fault_offset <= 65535);
	}
}

#define ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows[0]))

static void
start_lines(void **state)
{
	static const struct row rows[] = {
		{"INVITE sip:b@h SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_NONE, 1},
		{"INVITE sip:b@h sip/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_NONE, 1},
		{"INVITE tel:+1 SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_NONE, 1},
		{"INVITE\r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"INVITE \r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"INVITE sip:b@h\r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"INVITE sip:b@h HTTP/1.1\r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"INVITE sip:b@h SIP/2.0 \r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"INVITE sip:b@h SIP/2.1\r\n" ALL "\r\n", BP_SIP_FAULT_VERSION, 1},
		{"INVITE sip:b@h SIP/12.34\r\n" ALL "\r\n", BP_SIP_FAULT_VERSION, 1},
		{"INVITE sip:b@h SIP/2\r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"INVITE  sip:b@h SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_REQUEST_URI, 1},
		{"INVITE sip:b@h  SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_REQUEST_URI, 1},
		{"INVITE <sip:b@h> SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_REQUEST_URI, 1},
		{"INVITE sip:b@h?Route=x SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_REQUEST_URI, 1},
		{"INVITE sip:b@h? SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_REQUEST_URI, 1},
		{"INV{TE sip:b@h SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{" INVITE sip:b@h SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"INVITE\tsip:b@h SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_START_LINE, 1},
		{"invite sip:b@h SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_METHOD, 1},
		{"FOO sip:b@h SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 FOO\r\n\r\n", BP_SIP_FAULT_NONE, 1},
		{"FOO sip:b@h SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 FOP\r\n\r\n", BP_SIP_FAULT_METHOD, 1},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", BP_SIP_FAULT_START_LINE, 0},
		{"hello", BP_SIP_FAULT_START_LINE, 0},
		{"SIP/2.0 200 OK\r\n" ALL "\r\n", BP_SIP_FAULT_NONE, 0},
		{"SIP/2.0 99 X\r\n" ALL "\r\n", BP_SIP_FAULT_STATUS_CODE, 0},
		{"SIP/2.0 700 X\r\n" ALL "\r\n", BP_SIP_FAULT_STATUS_CODE, 0},
		{"SIP/2.0 2000 X\r\n" ALL "\r\n", BP_SIP_FAULT_STATUS_CODE, 0},
		{"SIP/2.0 20 X\r\n" ALL "\r\n", BP_SIP_FAULT_STATUS_CODE, 0},
		{"SIP/2.0 20x X\r\n" ALL "\r\n", BP_SIP_FAULT_STATUS_CODE, 0},
		{"SIP/2.0  200 X\r\n" ALL "\r\n", BP_SIP_FAULT_STATUS_CODE, 0},
		{"SIP/2.0 200X\r\n" ALL "\r\n", BP_SIP_FAULT_STATUS_CODE, 0},
		{"SIP/3.0 200 OK\r\n" ALL "\r\n", BP_SIP_FAULT_VERSION, 0},
		{"SIP/2.0\r\n" ALL "\r\n", BP_SIP_FAULT_VERSION, 0},
		{"SIP/2.0 \r\n" ALL "\r\n", BP_SIP_FAULT_VERSION, 0},
	};

	ROWS(rows);
	parse_text(&m, "SIP/2.0 2000 X\r\n" ALL "\r\n");
	assert_int_equal(m.status, BP_SIP_STATUS_BAD);
}

static void
header_lines(void **state)
{
	static const struct row rows[] = {
		{LINE ALL "nonsense\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "Route\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "Route \r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "X:", BP_SIP_FAULT_NO_END, 1},
		{LINE ALL ": x\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "a b: x\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "a\"b: x\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "\xc3\xa4: x\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE " folded: x\r\n" ALL "\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "X: a\nRoute: <sip:evil;lr>\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "X: a\rRoute: <sip:evil;lr>\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "X: a\r\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "X: a\n\r\n\r\n", BP_SIP_FAULT_HEADER_LINE, 1},
		{LINE ALL "X: a", BP_SIP_FAULT_NO_END, 1},
		{LINE ALL "X: a\r\n", BP_SIP_FAULT_NO_END, 1},
		{LINE ALL "X: a\r\n\r", BP_SIP_FAULT_NO_END, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 314159 INVITE", BP_SIP_FAULT_NO_END, 1},
		{LINE, BP_SIP_FAULT_NO_END, 0},
		{LINE "\r\n", BP_SIP_FAULT_NO_VIA, 0},
	};

	ROWS(rows);
	/* a CR or LF in the body is nobody's business */
	assert_int_equal(parse_text(&m, LINE ALL "\r\na\nb\rc"), BP_SIP_FAULT_NONE);
	assert_int_equal(parse_bytes(&m, LINE ALL "X: a\0b\r\n\r\n", sizeof(LINE ALL "X: a\0b\r\n\r\n") - 1),
		BP_SIP_FAULT_NONE);
}

static void
mandatory(void **state)
{
	static const struct row rows[] = {
		{LINE FROM TO CALL_ID CSEQ "\r\n", BP_SIP_FAULT_NO_VIA, 0},
		{LINE VIA TO CALL_ID CSEQ "\r\n", BP_SIP_FAULT_NO_FROM, 0},
		{LINE VIA FROM CALL_ID CSEQ "\r\n", BP_SIP_FAULT_NO_TO, 0},
		{LINE VIA FROM TO CSEQ "\r\n", BP_SIP_FAULT_NO_CALL_ID, 0},
		{LINE VIA FROM TO CALL_ID "\r\n", BP_SIP_FAULT_NO_CSEQ, 0},
		{LINE "Via:\r\n" FROM TO CALL_ID CSEQ "\r\n", BP_SIP_FAULT_BAD_VIA, 1},
		{LINE "Via: x\r\n" VIA FROM TO CALL_ID CSEQ "\r\n", BP_SIP_FAULT_BAD_VIA, 1},
		{LINE VIA "Via: whatever;;,\r\n" FROM TO CALL_ID CSEQ "\r\n", BP_SIP_FAULT_NONE, 1},
		{LINE VIA "From: \r\n" TO CALL_ID CSEQ "\r\n", BP_SIP_FAULT_BAD_FROM, 1},
		{LINE VIA FROM "To: \"x <sip:a@h>\r\n" CALL_ID CSEQ "\r\n", BP_SIP_FAULT_BAD_TO, 1},
		{LINE VIA FROM TO "Call-ID:\r\n" CSEQ "\r\n", BP_SIP_FAULT_BAD_CALL_ID, 1},
		{LINE VIA FROM TO "Call-ID: a b\r\n" CSEQ "\r\n", BP_SIP_FAULT_BAD_CALL_ID, 1},
		{LINE VIA FROM TO "Call-ID: a,b\r\n" CSEQ "\r\n", BP_SIP_FAULT_BAD_CALL_ID, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: INVITE\r\n\r\n", BP_SIP_FAULT_BAD_CSEQ, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 1\r\n\r\n", BP_SIP_FAULT_BAD_CSEQ, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 1INVITE\r\n\r\n", BP_SIP_FAULT_BAD_CSEQ, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: -1 INVITE\r\n\r\n", BP_SIP_FAULT_BAD_CSEQ, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 1 INVITE x\r\n\r\n", BP_SIP_FAULT_BAD_CSEQ, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 4294967295 INVITE\r\n\r\n", BP_SIP_FAULT_NONE, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 4294967296 INVITE\r\n\r\n", BP_SIP_FAULT_BAD_CSEQ, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 36893488147419103232 INVITE\r\n\r\n", BP_SIP_FAULT_BAD_CSEQ,
			1},
		{LINE VIA FROM TO CALL_ID "CSeq: 0000000000000000000007 INVITE\r\n\r\n", BP_SIP_FAULT_NONE,
			1},
		{LINE VIA FROM TO CALL_ID "CSeq: 1 ACK\r\n\r\n", BP_SIP_FAULT_CSEQ_METHOD, 1},
		{LINE VIA FROM TO CALL_ID "CSeq: 1 INVITEX\r\n\r\n", BP_SIP_FAULT_CSEQ_METHOD, 1},
		{LINE ALL FROM "\r\n", BP_SIP_FAULT_REPEATED_HEADER, 1},
		{LINE ALL "t: sip:b@h\r\n\r\n", BP_SIP_FAULT_REPEATED_HEADER, 1},
		{LINE ALL CALL_ID "\r\n", BP_SIP_FAULT_REPEATED_HEADER, 1},
		{LINE ALL CSEQ "\r\n", BP_SIP_FAULT_REPEATED_HEADER, 1},
		{LINE ALL MF MF "\r\n", BP_SIP_FAULT_REPEATED_HEADER, 1},
		{LINE ALL "l: 0\r\nContent-Length: 0\r\n\r\n", BP_SIP_FAULT_REPEATED_HEADER, 1},
		{LINE ALL "Max-Forwards: 255\r\n\r\n", BP_SIP_FAULT_NONE, 1},
		{LINE ALL "Max-Forwards: 256\r\n\r\n", BP_SIP_FAULT_BAD_MAX_FORWARDS, 1},
		{LINE ALL "Max-Forwards:\r\n\r\n", BP_SIP_FAULT_BAD_MAX_FORWARDS, 1},
		{LINE ALL "Max-Forwards: 7x\r\n\r\n", BP_SIP_FAULT_BAD_MAX_FORWARDS, 1},
	};

	ROWS(rows);
}

static void
datagram(void **state)
{
	static const struct row rows[] = {
		{"", BP_SIP_FAULT_EMPTY, 0},
		{"\r\n", BP_SIP_FAULT_EMPTY, 0},
		{"\r\n\r\n\r\n\r\n", BP_SIP_FAULT_EMPTY, 0},
		{LINE ALL "Content-Length: 5\r\n\r\nbody", BP_SIP_FAULT_BODY_TRUNCATED, 1},
		{LINE ALL "Content-Length: 4294967296\r\n\r\nbody", BP_SIP_FAULT_BAD_CONTENT_LENGTH, 1},
		{LINE ALL "Content-Length: 65540\r\n\r\nbody", BP_SIP_FAULT_BODY_TRUNCATED, 1},
		{LINE ALL "Content-Length: -4\r\n\r\nbody", BP_SIP_FAULT_BAD_CONTENT_LENGTH, 1},
		{LINE ALL "Content-Length:\r\n\r\nbody", BP_SIP_FAULT_BAD_CONTENT_LENGTH, 1},
		{LINE ALL "Content-Length: 4 4\r\n\r\nbody", BP_SIP_FAULT_BAD_CONTENT_LENGTH, 1},
	};

	ROWS(rows);
	assert_int_equal(parse_text(&m, LINE ALL "\r\nall of it"), BP_SIP_FAULT_NONE);
	assert_span(&m, m.body, "all of it");
	assert_int_equal(parse_text(&m, LINE ALL "l: 2\r\n\r\nall of it"), BP_SIP_FAULT_NONE);
	assert_span(&m, m.body, "al");
	assert_int_equal(m.size, strlen(LINE ALL "l: 2\r\n\r\nal"));
	assert_int_equal(parse_text(&m, "\r\n\r\n" LINE ALL "\r\n"), BP_SIP_FAULT_NONE);
	assert_int_equal(m.size, strlen(LINE ALL "\r\n"));
	assert_memory_equal(m.bytes, "INVITE", 6);
}

static void
limits(void **state)
{
	struct bp_sip_limits few = {.headers = 6, .vias = 2, .uri = 18};
	const char *text = LINE ALL "A: b\r\n\r\n";

	assert_int_equal(
		bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)strlen(text), &few), BP_SIP_FAULT_NONE);
	text = LINE ALL "A: b\r\nC: d\r\n\r\n";
	assert_int_equal(bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)strlen(text), &few),
		BP_SIP_FAULT_TOO_MANY_HEADERS);
	assert_true(bp_sip_answerable(&m));
	text = LINE "Via: SIP/2.0/UDP a, SIP/2.0/UDP b\r\n" FROM TO CALL_ID CSEQ "\r\n";
	assert_int_equal(
		bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)strlen(text), &few), BP_SIP_FAULT_NONE);
	text = LINE "Via: SIP/2.0/UDP a, SIP/2.0/UDP b\r\nv: SIP/2.0/UDP c\r\n" FROM TO CALL_ID CSEQ "\r\n";
	assert_int_equal(bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)strlen(text), &few),
		BP_SIP_FAULT_TOO_MANY_VIAS);
	text = "INVITE sip:bob@biloxi.comm SIP/2.0\r\n" ALL "\r\n";
	assert_int_equal(bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)strlen(text), &few),
		BP_SIP_FAULT_TOO_LONG_URI);
	assert_span(&m, m.uri, "sip:bob@biloxi.comm");
	assert_int_equal(
		bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)strlen(text), NULL), BP_SIP_FAULT_NONE);
}

/* As many lines as a datagram can hold, and the largest datagram. */
static void
extremes(void **state)
{
	size_t used = strlen(LINE ALL), size = 65535;
	char *text = malloc(70000);

	memcpy(text, LINE ALL, used);
	while (used + 5 <= size - 2)
		used += (size_t)snprintf(text + used, 70000 - used, "A:\r\n");
	memcpy(text + used, "\r\n", 2);
	assert_int_equal(parse_bytes(&m, text, used + 2), BP_SIP_FAULT_TOO_MANY_HEADERS);
	assert_int_equal(m.header_count, 255);
	assert_true(bp_sip_answerable(&m));
	assert_int_equal(m.size, used + 2);

	memset(text, 'x', 70000);
	memcpy(text, LINE ALL "\r\n", strlen(LINE ALL "\r\n"));
	assert_int_equal(parse_bytes(&m, text, 65535), BP_SIP_FAULT_NONE);
	assert_int_equal(m.size, 65535);
	memcpy(text, LINE ALL "X:", strlen(LINE ALL "X:"));
	memcpy(text + 65531, "\r\n\r\n", 4);
	assert_int_equal(parse_bytes(&m, text, 65535), BP_SIP_FAULT_NONE);
	assert_int_equal(m.body_offset, 65535);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request),
		cmocka_unit_test(response),
		cmocka_unit_test(spaces_and_folds),
		cmocka_unit_test(chains),
		cmocka_unit_test(start_lines),
		cmocka_unit_test(header_lines),
		cmocka_unit_test(mandatory),
		cmocka_unit_test(datagram),
		cmocka_unit_test(limits),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
