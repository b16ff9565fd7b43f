/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Via values, good and bad (RFC 3261 20.42, RFC 3581), and lists of them.
 */
#include "support.h"

#include "sip/scan.h"

#include <stdio.h>
#include <stdlib.h>

static struct bp_sip_message m; /* only its bytes are used */

static bool
cut(struct bp_sip_via *via, const char *text)
{
	size_t size = strlen(text);
	static uint8_t *kept;

	free(kept);
	kept = malloc(size ? size : 1);
	memcpy(kept, text, size);
	m.bytes = kept;
	return bp_sip_via_cut(kept, (struct bp_span){0, (uint16_t)size}, via);
}

static void
everyday(void **state)
{
	struct bp_sip_via via;

	assert_true(cut(
		&via, "SIP/2.0/UDP pc33.atlanta.com:5066;branch=z9hG4bK776asdhds;rport;received=192.0.2.1"));
	assert_int_equal(via.transport, BP_TRANSPORT_UDP);
	assert_span(&m, via.host, "pc33.atlanta.com");
	assert_span(&m, via.sent_by, "pc33.atlanta.com:5066");
	assert_int_equal(via.port, 5066);
	assert_span(&m, via.branch, "z9hG4bK776asdhds");
	assert_span(&m, via.received, "192.0.2.1");
	assert_int_equal(
		via.rport_at, strlen("SIP/2.0/UDP pc33.atlanta.com:5066;branch=z9hG4bK776asdhds;rport"));
	assert_int_equal(via.rport.size, 0);
	assert_span(&m, via.params, ";branch=z9hG4bK776asdhds;rport;received=192.0.2.1");
	assert_true(via.magic);
	assert_true(via.last);
	assert_int_equal(via.maddr.size, 0);
}

static void
parts(void **state)
{
	struct bp_sip_via via;

	assert_true(cut(&via, "SIP/2.0/TCP h"));
	assert_int_equal(via.transport, BP_TRANSPORT_TCP);
	assert_int_equal(via.port, 0);
	assert_int_equal(via.rport_at, 0);
	assert_int_equal(via.params.size, 0);
	assert_false(via.magic);
	assert_true(cut(&via, "SIP/2.0/TLS h;maddr=224.0.1.75;ttl=16;branch=1"));
	assert_int_equal(via.transport, BP_TRANSPORT_TLS);
	assert_span(&m, via.maddr, "224.0.1.75");
	assert_false(via.magic);
	assert_true(cut(&via, "SIP/2.0/sctp h;rport=5070;x;y=\"a;b,c\""));
	assert_int_equal(via.transport, BP_TRANSPORT_COUNT);
	assert_span(&m, via.rport, "5070");
	assert_true(cut(&via, "SIP/2.0/UDP [2001:db8::1]:5062;received=2001:db8::2;BRANCH=Z9HG4BKx"));
	assert_span(&m, via.host, "[2001:db8::1]");
	assert_span(&m, via.sent_by, "[2001:db8::1]:5062");
	assert_span(&m, via.received, "2001:db8::2");
	assert_int_equal(via.port, 5062);
	assert_true(via.magic);
	assert_true(cut(&via, "SIP/2.0/UDP my_host"));
	assert_true(cut(&via, "SIP/7.0/UDP h"));
}

static void
white_space(void **state)
{
	struct bp_sip_via via;

	assert_true(cut(&via, " SIP\t/ 2.0\r\n / UDP\r\n  host : 5060 ;\r\n branch\t=\r\n z9hG4bKa ; rport = "
			      "7 ,SIP/2.0/UDP b"));
	assert_span(&m, via.host, "host");
	assert_int_equal(via.port, 5060);
	assert_span(&m, via.branch, "z9hG4bKa");
	assert_span(&m, via.rport, "7");
	assert_false(via.last);
	assert_span(&m, via.element,
		"SIP\t/ 2.0\r\n / UDP\r\n  host : 5060 ;\r\n branch\t=\r\n z9hG4bKa ; rport = 7");
	assert_true(cut(&via, "SIP/2.0/UDP  two-spaces"));
	assert_span(&m, via.host, "two-spaces");
}

/* More than 64 bytes, so that the cursor has to move on. */
static void
long_values(void **state)
{
	char text[400];
	struct bp_sip_via via;

	for (unsigned pad = 0; pad < 150; pad++) {
		snprintf(text, sizeof(text), "SIP/2.0/UDP h;x%0*d;branch=z9hG4bK%0*d;rport", (int)pad + 1, 0,
			(int)pad + 1, 1);
		assert_true(cut(&via, text));
		assert_int_equal(via.branch.size, pad + 8);
		assert_int_equal(via.rport_at, strlen(text));
	}
}

static void
malformed(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"SIP",
		"SIP/2.0",
		"SIP/2.0/UDP",
		"SIP/2.0/UDP ",
		"SIP/2.0/UDP;branch=1",
		"SIP//UDP h",
		"/2.0/UDP h",
		"SIP/2.0/ h",
		"SIP 2.0 UDP h",
		"SIP/2.0/UDP h;",
		"SIP/2.0/UDP h;;branch=1",
		"SIP/2.0/UDP h;branch=",
		"SIP/2.0/UDP h;branch",
		"SIP/2.0/UDP h;branch=a;branch=b",
		"SIP/2.0/UDP h;received=1;received=2",
		"SIP/2.0/UDP h;rport;rport",
		"SIP/2.0/UDP h:",
		"SIP/2.0/UDP h:x",
		"SIP/2.0/UDP h:0",
		"SIP/2.0/UDP h:65536",
		"SIP/2.0/UDP h:99999999999",
		"SIP/2.0/UDP [::1",
		"SIP/2.0/UDP []",
		"SIP/2.0/UDP [g::1]",
		"SIP/2.0/UDP h x",
		"SIP/2.0/UDP h;a b",
		"SIP/2.0/UDP h,",
		"SIP/2.0/UDP h;a=\"b",
		"SIP/2.0/UDP h;a=<b>",
		"SIP/2.0/UDP ho\x01st",
		"SIP/2.0/UDP h;\xc3\xa4=1",
		"SIP/2.0/UDP a@b",
		",SIP/2.0/UDP h",
	};
	struct bp_sip_via via;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cut(&via, bad[i]))
			fail_msg("\"%s\" was taken for a Via", bad[i]);
	}
}

/* Values of characters that no host has, the usual port and one that is nearly so: by every variant. */
static void
unusual_values(void **state)
{
	const struct bp_variant *chosen = bp_variant;
	struct bp_sip_via via;

	for (unsigned i = 0; bp_variants[i]; i++) {
		if (!bp_variants[i]->supported())
			continue;
		bp_variant = bp_variants[i];
		assert_true(cut(&via, "SIP/2.0/UDP edge.example.com:5060;branch=z9hG4bK~a+b%c!d;received=2001:db8::9;"
				      "rport=5061"));
		assert_int_equal(via.port, 5060);
		assert_span(&m, via.branch, "z9hG4bK~a+b%c!d");
		assert_span(&m, via.received, "2001:db8::9");
		assert_span(&m, via.rport, "5061");
		assert_true(cut(&via, "SIP/2.0/UDP edge.example.com:15060;branch=z9hG4bKa=b=c;maddr=[2001:db8::1]"));
		assert_int_equal(via.port, 15060);
		assert_span(&m, via.branch, "z9hG4bKa=b=c");
		assert_span(&m, via.maddr, "[2001:db8::1]");
		assert_false(cut(&via, "SIP/2.0/UDP edge.example.com:5060;branch=z9hG4bK~~;branch=z9hG4bK~~~~~"));
		assert_false(cut(&via, "SIP/2.0/UDP edge.example.com:506o;branch=z9hG4bK776asdhds;received=1.2.3.4"));
	}
	bp_variant = chosen;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everyday),
		cmocka_unit_test(parts),
		cmocka_unit_test(white_space),
		cmocka_unit_test(long_values),
		cmocka_unit_test(malformed),
		cmocka_unit_test(unusual_values),
	};

	return cmocka_run_group_tests_name("via", tests, NULL, NULL);
}
