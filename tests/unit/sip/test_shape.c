/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shapes: a message that fits one has the view that a parse gives it, whatever byte of it is another; and those that
 * should fit do.
 */
#include "support.h"

#include "sip/scan.h"
#include "sip/shape.h"

#include <stdio.h>
#include <stdlib.h>

#define VIA "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-524287-1---i0001;rport\r\n"
#define VIA_BACK "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKbp00000001000000020a1b2c3d4e5f60718\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-524287-1---i0001;rport=5060;received=192.0.2.10\r\n"
#define FROM "From: \"Alice Liddell\" <sip:+49300001@192.0.2.10>;tag=9fxced76sl-0001\r\n"
#define CALL_ID "Call-ID: 3848276298220188511-0001@192.0.2.10\r\n"
#define ROUTES "Route: <sip:AAcd_-123@192.0.2.1:5060;lr>\r\nRoute: <sip:QAcd_-123@10.0.0.1:5060;lr>\r\n"
#define REST "Allow: INVITE, ACK, CANCEL, BYE, PRACK, OPTIONS\r\nUser-Agent: Carrier-SBC/7.4.1 (build 20231114)\r\n"

static const char *const texts[] = {
	"INVITE sip:+49400001@192.0.2.1 SIP/2.0\r\n" VIA "Max-Forwards: 70\r\n" FROM "To: <sip:+49400001@192.0.2.1>\r\n"
	CALL_ID "CSeq: 1 INVITE\r\nContact: <sip:+49300001@192.0.2.10:5060;transport=udp>\r\n" REST
	"Content-Type: application/sdp\r\nContent-Length: 10\r\n\r\nv=0\r\ns=x\r\n",
	"SIP/2.0 180 Ringing\r\n" VIA_BACK FROM "To: <sip:+49400001@192.0.2.1>;tag=31-0001\r\n" CALL_ID
	"CSeq: 4711 INVITE\r\nContact: <sip:+49400001@10.0.0.2:5060>\r\nServer: Softswitch/12.3\r\nContent-Length: 0\r\n\r\n",
	"BYE sip:+49400001@10.0.0.2:5060;transport=udp SIP/2.0\r\n" VIA ROUTES "Max-Forwards: 70\r\n" FROM
	"To: <sip:+49400001@192.0.2.1>;tag=31-0001\r\n" CALL_ID "CSeq: 2 BYE\r\n" REST "Content-Length: 0\r\n\r\n",
	"ACK tel:+49400001 SIP/2.0\r\n" VIA ROUTES FROM "To: sip:+49400001@192.0.2.1;tag=31-0001\r\n" CALL_ID
	"CSeq: 2 ACK\r\n" REST "Content-Length: 00\r\n\r\n",
	/* other forms: two Vias in a line, escapes, IPv6, folds, no Content-Length, what ends behind the blank line */
	"OPTIONS sip:a%41b@[2001:db8::1]:5070;lr SIP/2.0\r\nv: SIP/2.0/TCP [2001:db8::2];branch=z9hG4bKabc, SIP/2.0/UDP h:1\r\n"
	"f: Alice <sip:a@b>\r\nt: <tel:+1-201-555-0123;x=y>;tag=q\r\ni: a.b_c@d\r\nCSeq: 123456789 OPTIONS\r\n"
	"Subject: one\r\n two\r\nX-Long: abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz\r\n\r\nbody",
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static const struct bp_sip_limits limits = {.headers = 60, .vias = 4, .uri = 64};

static struct bp_sip_shapes *
new_shapes(bool eager)
{
	struct bp_sip_shapes *shapes = calloc(1, sizeof(*shapes));

	assert_non_null(shapes);
	shapes->eager = eager;
	return shapes;
}

static bool
same_view(const struct bp_sip_message *a, const struct bp_sip_message *b)
{
	return memcmp(a, b, offsetof(struct bp_sip_message, headers)) == 0 &&
	       memcmp(a->headers, b->headers, a->header_count * sizeof(a->headers[0])) == 0;
}

/* What a shape knows beyond the view is what cutting finds. */
static unsigned
check_known(const struct bp_sip_message *m)
{
	const struct bp_sip_header *via = bp_sip_first(m, BP_SIP_VIA);
	struct bp_sip_via next;
	struct bp_sip_uri uri;

	if (m->known.contact.whole.size) {
		assert_true(bp_sip_first_uri(m, BP_SIP_CONTACT, &uri));
		assert_memory_equal(&uri, &m->known.contact, sizeof(uri));
	}
	if (m->known.next_host.size) {
		assert_true(bp_sip_via_cut(m->bytes, bp_sip_next(m, via)->value, &next) && next.last && m->via.last);
		assert_memory_equal(&next.host, &m->known.next_host, sizeof(next.host));
	}
	return (m->known.contact.whole.size > 0) + (m->known.next_host.size > 0);
}

static unsigned known; /* things in all */

/* Both ways alike; then whether it fitted a shape. */
static bool
parse_both(struct bp_sip_shapes *shapes, const uint8_t *bytes, uint32_t size)
{
	static struct bp_sip_message plain, shaped;
	uint64_t found = shapes->found;

	bp_sip_parse(&plain, bytes, size, &limits);
	assert_int_equal(bp_sip_parse_shaped(shapes, &shaped, bytes, size, &limits), plain.fault);
	known += check_known(&shaped);
	memset(&shaped.known, 0, sizeof(shaped.known));
	if (!same_view(&plain, &shaped))
		fail_msg("another view of: %.*s", (int)size, (const char *)bytes);
	return shapes->found != found;
}

static bool
has_shapes(void)
{
	return strncmp(bp_variant->name, "avx", 3) == 0;
}

/* Each byte by each other one, with nothing learnt in between: the message that was learnt is the only shape. */
static void
test_each_byte(void **state)
{
	for (unsigned i = 0; i < TEXTS; i++) {
		uint32_t size = (uint32_t)strlen(texts[i]);
		uint8_t *bytes = malloc(size);
		unsigned fitted = 0;

		assert_non_null(bytes);
		memcpy(bytes, texts[i], size);
		for (uint32_t at = 0; at < size; at++) {
			struct bp_sip_shapes *shapes = new_shapes(true);
			uint8_t old = bytes[at];

			parse_both(shapes, bytes, size);
			shapes->eager = false;
			shapes->missed = 1; /* and does not learn for a while */
			for (unsigned c = 0; c < 256; c++) {
				bytes[at] = (uint8_t)c;
				fitted += parse_both(shapes, bytes, size);
				shapes->missed = 1;
			}
			bytes[at] = old;
			free(shapes);
		}
		if (has_shapes())
			assert_true(fitted > 64 * 50);
		free(bytes);
	}
}

/* Many bytes at once, of those that may differ and others, with learning as it comes. */
static void
test_many_bytes(void **state)
{
	static const char some[] = "abcXYZ0189-._-._ \r\n:;,@<>\"%\\=";
	uint8_t bytes[1024];
	struct bp_sip_shapes *shapes = new_shapes(false);
	uint64_t seed = 3261;
	unsigned fitted = 0;

	for (unsigned round = 0; round < 200000; round++) {
		const char *text = texts[round % TEXTS];
		uint32_t size = (uint32_t)strlen(text);

		memcpy(bytes, text, size);
		for (unsigned changes = round / TEXTS % 8; changes > 0; changes--) {
			unsigned at;

			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			at = (unsigned)(seed >> 33) % size;
			bytes[at] = (uint8_t)some[(seed >> 16) % (changes < 4 ? 16 : sizeof(some) - 1)];
		}
		shapes->eager = round % 1024 < 32;
		fitted += parse_both(shapes, bytes, size);
	}
	if (has_shapes())
		assert_true(fitted > 20000);
	free(shapes);
}

/* Calls of one peer: only the first few of each kind are parsed. */
static void
test_calls_fit(void **state)
{
	struct bp_sip_shapes *shapes = new_shapes(false);
	uint8_t bytes[1024];
	unsigned fitted = 0;

	known = 0;
	for (unsigned call = 0; call < 3000; call++) {
		const char *text = texts[call % 3];
		char number[5];

		memcpy(bytes, text, strlen(text) + 1);
		snprintf(number, sizeof(number), "%04u", call);
		for (char *at = (char *)bytes; (at = strstr(at, "0001")) != NULL; at += 4)
			memcpy(at, number, 4);
		fitted += parse_both(shapes, bytes, (uint32_t)strlen(text));
	}
	if (has_shapes()) {
		assert_true(fitted > 2800);
		assert_true(known > 2800); /* a Contact in the first, both in the second */
	}
	free(shapes);
}

/* What passed other limits does not pass these. */
static void
test_limits(void **state)
{
	struct bp_sip_shapes *shapes = new_shapes(true);
	const struct bp_sip_limits few = {.headers = 5, .vias = 4, .uri = 64}, small = {.headers = 60, .vias = 4, .uri = 9};
	static struct bp_sip_message m;
	const uint8_t *bytes = (const uint8_t *)texts[0];
	uint32_t size = (uint32_t)strlen(texts[0]);

	parse_both(shapes, bytes, size);
	assert_int_equal(bp_sip_parse_shaped(shapes, &m, bytes, size, &few), BP_SIP_FAULT_TOO_MANY_HEADERS);
	assert_int_equal(bp_sip_parse_shaped(shapes, &m, bytes, size, &small), BP_SIP_FAULT_TOO_LONG_URI);
	assert_int_equal(bp_sip_parse_shaped(shapes, &m, bytes, size, &limits), BP_SIP_FAULT_NONE);
	/* a body that is not all there, and one with something behind it */
	assert_int_equal(bp_sip_parse_shaped(shapes, &m, bytes, size - 1, &limits), BP_SIP_FAULT_BODY_TRUNCATED);
	for (uint32_t cut = 0; cut < size; cut++)
		parse_both(shapes, bytes, cut);
	free(shapes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_many_bytes),
		cmocka_unit_test(test_calls_fit),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
