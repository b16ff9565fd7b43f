/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The gathered copy: what comes out, its bounds, and that it comes to the same as the editor.
 */
#include "exercise_gather.h"

#include "proxy/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define REST "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@h>\r\n"

static const char *const messages[] = {
	"INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\n" REST
	"Max-Forwards: 70\r\nRoute: <sip:one;lr>\r\nRoute: <sip:two;lr>\r\nRoute: <sip:three;lr>\r\n\r\n",
	"INVITE sip:b@h SIP/2.0\r\n" REST "v: SIP/2.0/UDP [2001:db8::9]:5061;rport=1;received=192.0.2.200;branch=z9hG4bK1\r\n"
	"Max-Forwards: 70\r\nRecord-Route: <sip:x;lr>, <sip:y;lr>\r\nContent-Length: 4\r\n\r\nbody",
	"BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1 , SIP/2.0/UDP h2\r\n"
	"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n",
	"SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP h2\r\n" REST "\r\n",
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1,SIP/2.0/UDP h2\r\n" REST "Content-Length: 2\r\n\r\nok",
};
#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

static const struct bp_sip_limits limits = {
	.headers = BP_SIP_HEADERS_MAX - 1, .vias = UINT16_MAX, .uri = UINT16_MAX};
static struct bp_sip_message m;

static void
parse(const char *text)
{
	assert_int_equal(bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)strlen(text), &limits), BP_SIP_FAULT_NONE);
}

static void
writes(const struct bp_gather *g, const char *expected)
{
	uint8_t *out = malloc(g->size);

	assert_int_equal(g->size, strlen(expected));
	bp_gather_write(g, out);
	assert_memory_equal(out, expected, g->size);
	free(out);
}

/* Every size, to the byte: blocks of exactly that size, so that what is read or written beyond shows. */
static void
put_any_size(void **state)
{
	for (size_t size = 0; size <= 200; size++) {
		uint8_t *from = malloc(size + 1), *to = malloc(size + 1);

		for (size_t i = 0; i < size; i++)
			from[i] = (uint8_t)(i * 7 + 1);
		to[size] = 0xa5;
		assert_ptr_equal(bp_put(to, from, size), to + size);
		assert_memory_equal(to, from, size);
		assert_int_equal(to[size], 0xa5);
		free(from);
		free(to);
	}
}

/* Added in any order; at one offset in the order in which they came, but before what takes bytes out. */
static void
sorted_by_offset(void **state)
{
	static const char text[] = "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
				   "Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
	struct bp_gather g;

	parse(text);
	bp_gather_begin(&g, &m);
	bp_gather_change(&g, 25, 20, "", 0);     /* the Via line */
	bp_gather_change(&g, 8, 7, "tel:5", 5);  /* the Request-URI */
	bp_gather_change(&g, 25, 0, "A: 1\r\n", 6);
	bp_gather_change(&g, (unsigned)strlen(text), 0, "end", 3);
	bp_gather_change(&g, 25, 0, "B: 2\r\n", 6);
	bp_gather_change(&g, 0, 0, "> ", 2);
	assert_int_equal(g.count, 6);
	writes(&g, "> OPTIONS tel:5 SIP/2.0\r\nA: 1\r\nB: 2\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
		   "Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\nend");
	bp_gather_begin(&g, &m);
	writes(&g, text); /* nothing changes */
}

/* 18.2.1, RFC 3581 4, RFC 5118 4.5. */
static void
source_of(const char *via, struct bp_ip ip, uint16_t port, const char *expected)
{
	static const char format[] = "OPTIONS sip:b@h SIP/2.0\r\nVia: %s\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
				     "Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
	struct bp_flow from = {.ip = ip, .port = port};
	static struct bp_source_text text; /* kept from one to the next, as the engine does */
	char in[512], out[512];
	struct bp_gather g;

	snprintf(in, sizeof(in), format, via);
	snprintf(out, sizeof(out), format, expected);
	parse(in);
	bp_gather_begin(&g, &m);
	bp_source_text(&text, &from);
	bp_gather_via(&g, &text);
	writes(&g, out);
}

static void
received_and_rport(void **state)
{
	static const struct bp_ip v4 = {{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 255}};
	static const struct bp_ip v6 = {{0x20, 0x01, 0x0d, 0xb8, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55,
		0x66, 0x66}};

	source_of("SIP/2.0/UDP h", v4, 1, "SIP/2.0/UDP h;received=192.0.2.255");
	source_of("SIP/2.0/UDP 192.0.2.255", v4, 5060, "SIP/2.0/UDP 192.0.2.255");
	source_of("SIP/2.0/UDP 192.0.2.255;rport", v4, 65535,
		"SIP/2.0/UDP 192.0.2.255;rport=65535;received=192.0.2.255");
	source_of("SIP/2.0/UDP h;rport=12345;branch=z9hG4bKx", v4, 7,
		"SIP/2.0/UDP h;rport=7;branch=z9hG4bKx;received=192.0.2.255");
	source_of("SIP/2.0/UDP h;received=10.1.2.3;rport", v6, 5060,
		"SIP/2.0/UDP h;received=2001:db8:1111:2222:3333:4444:5555:6666;rport=5060");
	source_of("SIP/2.0/UDP h", v6, 5060, "SIP/2.0/UDP h;received=2001:db8:1111:2222:3333:4444:5555:6666");
	source_of("SIP/2.0/UDP h", v4, 5060, "SIP/2.0/UDP h;received=192.0.2.255");
}

static void
largest_datagram(void **state)
{
	struct bp_gather g;

	parse(messages[0]);
	bp_gather_begin(&g, &m);
	bp_gather_change(&g, 0, 0, "", 65507 - m.size);
	assert_true(bp_gather_fits(&g));
	bp_gather_change(&g, 0, 0, "", 1);
	assert_false(bp_gather_fits(&g));
}

static int
exercise(unsigned choice, const char *text, size_t size)
{
	static uint8_t input[4096];

	for (unsigned i = 0; i < GATHER_SOURCE_SIZE; i++)
		input[1 + i] = (uint8_t)(choice * 31 + i * 77);
	input[0] = (uint8_t)choice;
	memcpy(input + 1 + GATHER_SOURCE_SIZE, text, size);
	return exercise_gather(input, 1 + GATHER_SOURCE_SIZE + size);
}

/* All sets of changes of all messages; the most that a request can have are as many as the header says. */
static void
as_the_editor(void **state)
{
	int most = 0;

	for (unsigned i = 0; i < MESSAGES; i++)
		for (unsigned choice = 0; choice < 256; choice++) {
			int count = exercise(choice, messages[i], strlen(messages[i]));

			assert_in_range(count, 0, BP_GATHER_MAX);
			most = count > most ? count : most;
		}
	assert_int_equal(most, 9);
}

/* The same with bytes changed, taken out, doubled. */
static void
as_the_editor_of_rubbish(void **state)
{
	unsigned understood = 0;

	srandom(1);
	for (unsigned i = 0; i < 200000; i++) {
		const char *text = messages[(unsigned)random() % MESSAGES];
		size_t size = strlen(text);
		char spoilt[2048];

		memcpy(spoilt, text, size);
		for (unsigned k = (unsigned)random() % 4; k > 0; k--) {
			size_t at = (size_t)random() % size, count = (size_t)random() % 8;

			if (count > size - at)
				count = size - at;
			switch (random() % 3) {
			case 0:
				spoilt[at] = " \r\n,;:<>\"=%v"[random() % 12];
				break;
			case 1:
				memmove(spoilt + at, spoilt + at + count, size - at - count);
				size -= count;
				break;
			default:
				memmove(spoilt + at + count, spoilt + at, size - at);
				size += count;
			}
		}
		understood += exercise((unsigned)random() % 256, spoilt, size) >= 0;
	}
	assert_in_range(understood, 50000, 199999);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_any_size),
		cmocka_unit_test(sorted_by_offset),
		cmocka_unit_test(received_and_rport),
		cmocka_unit_test(largest_datagram),
		cmocka_unit_test(as_the_editor),
		cmocka_unit_test(as_the_editor_of_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
