/* SPDX-License-Identifier: BSD-3-Clause
 *
 * URIs, good and bad; hosts that are addresses; equality, with the examples of
 * RFC 3261 19.1.4. RFC 3966, RFC 5118.
 */
#include "support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static struct bp_sip_message m; /* only its bytes are used */

static bool
cut(struct bp_sip_uri *uri, const char *text)
{
	size_t size = strlen(text);
	static uint8_t *kept;

	free(kept);
	kept = malloc(size ? size : 1);
	memcpy(kept, text, size);
	m.bytes = kept;
	return bp_sip_uri_cut(kept, (struct bp_span){0, (uint16_t)size}, uri);
}

/* Nothing before the first byte may be read, and of the shortest URIs there is little before the port. */
static void
short_parts(void **state)
{
	static const char *const good[] = {"sip:h:5", "sip:h:5;lr", "sip:h:50", "sip:hh:5", "sip:u@h:5", "sips:h:5"};
	struct bp_sip_uri uri;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(cut(&uri, good[i]));
		assert_int_equal(uri.port, i == 2 ? 50 : 5);
	}
	assert_false(cut(&uri, "sip:h:"));
	assert_false(cut(&uri, "sip::5"));
}

static void
sip(void **state)
{
	struct bp_sip_uri uri;

	assert_true(
		cut(&uri, "sip:alice:secret@atlanta.com:5061;transport=tcp;lr;maddr=239.255.255.1?to=x&a=b"));
	assert_int_equal(uri.scheme, BP_URI_SIP);
	assert_span(&m, uri.user, "alice");
	assert_span(&m, uri.host, "atlanta.com");
	assert_int_equal(uri.port, 5061);
	assert_span(&m, uri.params, ";transport=tcp;lr;maddr=239.255.255.1");
	assert_span(&m, uri.headers, "to=x&a=b");
	assert_span(&m, uri.maddr, "239.255.255.1");
	assert_int_equal(uri.transport, BP_TRANSPORT_TCP);
	assert_true(uri.loose);
	assert_true(cut(&uri, "SIPS:h"));
	assert_int_equal(uri.scheme, BP_URI_SIPS);
	assert_int_equal(uri.user.size, 0);
	assert_span(&m, uri.host, "h");
	assert_int_equal(uri.port, 0);
	assert_int_equal(uri.transport, BP_TRANSPORT_COUNT);
	assert_false(uri.loose);
	assert_true(cut(&uri, "sip:h;transport=ws;lrx;x=lr"));
	assert_int_equal(uri.transport, BP_TRANSPORT_COUNT);
	assert_false(uri.loose);
	assert_true(cut(&uri, "sip:h?a=b"));
	assert_int_equal(uri.params.size, 0);
	assert_span(&m, uri.headers, "a=b");
	assert_true(cut(&uri, "sip:+1-212-555;ext=5:pw;x?y@gw.com;user=phone"));
	assert_span(&m, uri.user, "+1-212-555;ext=5");
	assert_span(&m, uri.params, ";user=phone");
	assert_true(cut(&uri, "sip:a%40b@h;LR=on;Transport=UDP"));
	assert_span(&m, uri.user, "a%40b");
	assert_true(uri.loose);
	assert_int_equal(uri.transport, BP_TRANSPORT_UDP);
	assert_true(cut(&uri, "sip:u@[2001:db8::1]:5070;maddr=[::1]"));
	assert_span(&m, uri.host, "[2001:db8::1]");
	assert_int_equal(uri.port, 5070);
	assert_true(cut(&uri, "sip:[::1]"));
	assert_span(&m, uri.host, "[::1]");
	assert_int_equal(uri.port, 0);
	assert_true(cut(&uri, "sip:h;x=a=b=;y"));
	assert_span(&m, uri.params, ";x=a=b=;y");
}

static void
other_schemes(void **state)
{
	struct bp_sip_uri uri;

	assert_true(cut(&uri, "tel:+1-201-555-0123;phone-context=example.com"));
	assert_int_equal(uri.scheme, BP_URI_TEL);
	assert_span(&m, uri.user, "+1-201-555-0123");
	assert_span(&m, uri.params, ";phone-context=example.com");
	assert_int_equal(uri.host.size, 0);
	assert_true(cut(&uri, "urn:service:sos"));
	assert_int_equal(uri.scheme, BP_URI_OTHER);
	assert_true(cut(&uri, "soap.beep://192.0.2.103:3002"));
	assert_true(cut(&uri, "x:y"));
	assert_false(cut(&uri, "tel:"));
	assert_false(cut(&uri, "tel:;x=y"));
	assert_false(cut(&uri, "x:"));
	assert_false(cut(&uri, ":y"));
	assert_false(cut(&uri, "1x:y"));
	assert_false(cut(&uri, "x y:z"));
	assert_false(cut(&uri, "x:y z"));
	assert_false(cut(&uri, "noscheme"));
	assert_false(cut(&uri, ""));
}

static void
malformed(void **state)
{
	static const char *const bad[] = {
		"sip:",
		"sip:@h",
		"sip:u@",
		"sip::pw@h",
		"sip:a@b@c",
		"sip:h:",
		"sip:h:0",
		"sip:h:65536",
		"sip:h:12a",
		"sip:h:123456789012",
		"sip:u@h;",
		"sip:u@h;;lr",
		"sip:u@h;=x",
		"sip:u@h;lr;lr",
		"sip:h;transport=udp;transport=tcp",
		"sip:h;maddr=a;maddr=b",
		"sip:h;maddr",
		"sip:[::1",
		"sip:[]",
		"sip:[::1]x",
		"sip:[::1]5060",
		"sip:[zz]",
		"sip:2001:db8::10",
		"sip:a b@h",
		"sip:u@h>",
		"sip:<u@h",
		"sip:u@h\"",
		"sip:u%4@h",
		"sip:u%zz@h",
		"sip:u%",
		"sip:u@h\x7f",
		"sip:u@h\xc3\xa4",
		"sip:h/x",
		"sip:h,x",
		"sip:u@h\r\n",
		"sip:[::1]@h",
		"sip:?a=b",
		"sip:;lr",
	};
	struct bp_sip_uri uri;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cut(&uri, bad[i]))
			fail_msg("\"%s\" was taken for a URI", bad[i]);
	}
}

/* More than 64 bytes in each part, so that the cursor has to move on. */
static void
long_parts(void **state)
{
	struct bp_sip_uri uri;
	char text[800];

	for (int pad = 1; pad < 140; pad++) {
		snprintf(text, sizeof(text), "sip:%0*d@%0*d.com:%d;x%0*d;lr?h=%0*d", pad, 1, pad, 2, 5060,
			pad, 3, pad, 4);
		assert_true(cut(&uri, text));
		assert_int_equal(uri.user.size, pad);
		assert_int_equal(uri.host.size, pad + 4);
		assert_int_equal(uri.port, 5060);
		assert_int_equal(uri.params.size, pad + 5);
		assert_true(uri.loose);
		assert_int_equal(uri.headers.size, pad + 2);
	}
}

static bool
host_ip(const char *text, struct bp_ip *ip)
{
	return bp_sip_host_ip((const uint8_t *)text, (struct bp_span){0, (uint16_t)strlen(text)}, ip);
}

static void
hosts(void **state)
{
	static const char *const bad[] = {
		"",
		"example.com",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"1.2.3.4a",
		"1..2.3",
		".1.2.3",
		"1.2.3.",
		"1.2.3.1000",
		"::1",
		"[",
		"[]",
		"[:]",
		"[1]",
		"[1:2:3:4:5:6:7]",
		"[1:2:3:4:5:6:7:8:9]",
		"[1:2:3:4:5:6:7:8::]",
		"[1::2::3]",
		"[:1:2:3:4:5:6:7:8]",
		"[1:2:3:4:5:6:7:8:]",
		"[12345::]",
		"[g::]",
		"[::1.2.3]",
		"[::1.2.3.4:5]",
		"[::1",
		"[::1]]",
		"[2001:db8::10:1.2.3.4:]",
	};
	static const char *const good[] = {"::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:192.0.2.1", "64:ff9b::192.0.2.33",
		"1:2:3:4:5:6:1.2.3.4", "fe80::a:B:C", "1:0:0:4::8"};
	struct bp_ip ip, expected;
	char text[64];

	assert_true(host_ip("192.0.2.1", &ip));
	assert_true(bp_ip_is_v4(&ip));
	assert_memory_equal(ip.bytes + 12, "\xc0\x00\x02\x01", 4);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (host_ip(bad[i], &ip))
			fail_msg("\"%s\" was taken for an address", bad[i]);
	}
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "[%s]", good[i]);
		if (!host_ip(text, &ip))
			fail_msg("%s was not taken for an address", text);
		assert_int_equal(inet_pton(AF_INET6, good[i], expected.bytes), 1);
		assert_memory_equal(ip.bytes, expected.bytes, 16);
	}
	assert_true(host_ip("[2001:db8:::192.0.2.1]", &ip));
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::192.0.2.1", expected.bytes), 1);
	assert_memory_equal(ip.bytes, expected.bytes, 16);
}

/* Written, then read again; and written as inet_ntop does. */
static void
addresses(void **state)
{
	uint64_t seed = 5952;

	for (unsigned round = 0; round < 20000; round++) {
		char text[64], expected[64];
		struct bp_ip ip, again;
		unsigned size;

		for (unsigned i = 0; i < 16; i++)
			ip.bytes[i] = random_below(&seed, 3) ? 0 : (uint8_t)random_next(&seed);
		if (random_below(&seed, 4) == 0)
			ip = bp_ip_from_v4(ip.bytes + 12);
		ip.bytes[0] |= bp_ip_is_v4(&ip) ? 0 : 0x20; /* inet_ntop writes ::/96 as IPv4 */
		size = bp_sip_ip_write(&ip, text);
		assert_in_range(size, 1, 41);
		text[size] = 0;
		assert_true(host_ip(text, &again));
		assert_true(bp_ip_equal(&ip, &again));
		if (bp_ip_is_v4(&ip)) {
			inet_ntop(AF_INET, ip.bytes + 12, expected, sizeof(expected));
		} else {
			expected[0] = '[';
			inet_ntop(AF_INET6, ip.bytes, expected + 1, sizeof(expected) - 2);
			strcat(expected, "]");
		}
		assert_string_equal(text, expected);
	}
}

static bool
equal(const char *a, const char *b)
{
	struct bp_span x = {0, (uint16_t)strlen(a)}, y = {0, (uint16_t)strlen(b)};
	bool there = bp_sip_uri_equal((const uint8_t *)a, x, (const uint8_t *)b, y);
	bool back = bp_sip_uri_equal((const uint8_t *)b, y, (const uint8_t *)a, x);

	assert_int_equal(there, back);
	return there;
}

static void
equality(void **state)
{
	assert_true(equal("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
	assert_true(equal("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
	assert_true(equal("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"));
	assert_true(equal("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
		"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
	assert_true(equal("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		"sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
	assert_false(equal("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
	assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
	assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
	assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
	assert_false(equal("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
	assert_false(equal("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
	assert_false(equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
	/* beyond the examples */
	assert_false(equal("sip:a@h", "sips:a@h"));
	assert_false(equal("sip:h", "sip:a@h"));
	assert_false(equal("sip:a@h", "sip:a:pw@h"));
	assert_false(equal("sip:a:pw@h", "sip:a:PW@h"));
	assert_false(equal("sip:a%3Bb@h", "sip:a;b@h")); /* reserved: an escape is something else */
	assert_true(equal("sip:a%3Bb@h", "sip:a%3bb@h"));
	assert_true(equal("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"));
	assert_false(equal("sip:a@h;maddr=x", "sip:a@h"));
	assert_false(equal("sip:a@h;user=phone", "sip:a@h"));
	assert_false(equal("sip:a@h;ttl=1", "sip:a@h"));
	assert_false(equal("sip:a@h;method=INVITE", "sip:a@h"));
	assert_true(equal("sip:a@h;lr", "sip:a@h"));
	assert_true(equal("tel:+1", "tel:+1"));
	assert_false(equal("tel:+1", "tel:+2"));
	assert_false(equal("sip:a@h", "nonsense"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sip),
		cmocka_unit_test(short_parts),
		cmocka_unit_test(other_schemes),
		cmocka_unit_test(malformed),
		cmocka_unit_test(long_parts),
		cmocka_unit_test(hosts),
		cmocka_unit_test(addresses),
		cmocka_unit_test(equality),
	};

	return cmocka_run_group_tests_name("uri", tests, NULL, NULL);
}
