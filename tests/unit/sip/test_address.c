/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses with their parameters (RFC 3261 20.10, 25.1), parameters by name, and the
 * walk over the elements of a header (7.3.1).
 */
#include "support.h"

#include "sip/scan.h"

#include <stdio.h>
#include <stdlib.h>

static struct bp_sip_message plain; /* only its bytes are used */

static bool
cut(struct bp_sip_address *address, const char *text)
{
	size_t size = strlen(text);
	static uint8_t *kept;

	free(kept);
	kept = malloc(size ? size : 1);
	memcpy(kept, text, size);
	plain.bytes = kept;
	return bp_sip_address_cut(kept, (struct bp_span){0, (uint16_t)size}, address);
}

static void
good(void **state)
{
	struct bp_sip_address a;

	assert_true(cut(&a, "\"Alice \\\"A\\\" <x>;tag=no\" <sip:alice@h;lr>;expires=3;tag=1928"));
	assert_span(&plain, a.display, "\"Alice \\\"A\\\" <x>;tag=no\"");
	assert_span(&plain, a.uri, "sip:alice@h;lr");
	assert_span(&plain, a.params, ";expires=3;tag=1928");
	assert_span(&plain, a.tag, "1928");
	assert_true(cut(&a, "sip:alice@h:5060;tag=x"));
	assert_span(&plain, a.uri, "sip:alice@h:5060");
	assert_span(&plain, a.tag, "x");
	assert_int_equal(a.display.size, 0);
	assert_true(cut(&a, "<sip:alice@h>"));
	assert_int_equal(a.params.size, 0);
	assert_int_equal(a.tag.size, 0);
	assert_true(cut(&a, "Mr. Watson  <sip:w@h>"));
	assert_span(&plain, a.display, "Mr. Watson");
	assert_true(cut(&a, "caller<sip:w@h>"));
	assert_span(&plain, a.display, "caller");
	assert_true(cut(&a, "\xc3\x84rger <sip:w@h>"));
	assert_span(&plain, a.display, "\xc3\x84rger");
	assert_true(cut(&a, "\"\" <tel:+1;x=y> ; TAG = z "));
	assert_span(&plain, a.uri, "tel:+1;x=y");
	assert_span(&plain, a.tag, "z");
	assert_true(cut(&a, "sip:w@h\r\n ;tag=\r\n\tq"));
	assert_span(&plain, a.uri, "sip:w@h");
	assert_span(&plain, a.tag, "q");
	assert_true(cut(&a, "http://www.example.com;p=\"a;tag=1\""));
	assert_int_equal(a.tag.size, 0);
	assert_true(cut(&a, "<sip:w@h>;x=a@b:c/d?e"));
	assert_true(cut(&a, "<sip:w@h>;x=YQ==;tag=b="));
	assert_span(&plain, a.tag, "b=");
}

static void
malformed(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"sip",
		"sip:",
		"<sip:>",
		"<>",
		"<sip:a@h",
		"sip:a@h>",
		"< sip:a@h>",
		"<sip:a@h >",
		"\"a <sip:a@h>",
		"\"a\" sip:a@h",
		"a, b <sip:a@h>",
		"a@b <sip:a@h>",
		"<sip:a@h> x",
		"<sip:a@h>;",
		"<sip:a@h>;;tag=1",
		"<sip:a@h>;tag",
		"<sip:a@h>;tag=",
		"<sip:a@h>;tag=a;tag=b",
		"<sip:a@h>;tag=\"a",
		"<sip:a@h>,<sip:b@h>",
		"sip:a@h?x=y",
		"sip:a@h,sip:b@h",
		"sip:a@h x",
		"<1:a>",
		"<a b>",
		"\"\\",
		"<sip:a@h>;=b",
		"<sip:a@h>;tag=a b",
		"\"a\"\"b\" <sip:a@h>",
	};
	struct bp_sip_address a;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cut(&a, bad[i]))
			fail_msg("\"%s\" was taken for an address", bad[i]);
	}
}

static void
long_values(void **state)
{
	struct bp_sip_address a;
	char text[800];

	for (int pad = 1; pad < 140; pad++) {
		snprintf(text, sizeof(text), "\"%0*d\" <sip:%0*d@h>;p%0*d=x;tag=%0*d", pad, 1, pad, 2, pad, 3,
			pad, 4);
		assert_true(cut(&a, text));
		assert_int_equal(a.display.size, pad + 2);
		assert_int_equal(a.uri.size, pad + 6);
		assert_int_equal(a.tag.size, pad);
	}
}

static void
params(void **state)
{
	const char *text = ";a;b=1; C = \"x;y=2\" ;d=z";
	struct bp_span all = {0, (uint16_t)strlen(text)}, value;
	const uint8_t *bytes = (const uint8_t *)text;

	plain.bytes = bytes;
	assert_true(bp_sip_param(bytes, all, "a", &value));
	assert_int_equal(value.size, 0);
	assert_true(bp_sip_param(bytes, all, "B", &value));
	assert_span(&plain, value, "1");
	assert_true(bp_sip_param(bytes, all, "c", &value));
	assert_span(&plain, value, "\"x;y=2\"");
	assert_true(bp_sip_param(bytes, all, "d", &value));
	assert_span(&plain, value, "z");
	assert_false(bp_sip_param(bytes, all, "y", &value));
	assert_false(bp_sip_param(bytes, (struct bp_span){0, 0}, "a", &value));
}

static void
token(void **state)
{
	const uint8_t *bytes = (const uint8_t *)"100rel,";

	assert_true(bp_span_is(bytes, (struct bp_span){0, 6}, "100REL"));
	assert_false(bp_span_is(bytes, (struct bp_span){0, 6}, "100re"));
	assert_false(bp_span_is(bytes, (struct bp_span){0, 6}, "100relx"));
	assert_false(bp_span_is(bytes, (struct bp_span){0, 7}, "100rel"));
	assert_true(bp_span_is(bytes, (struct bp_span){0, 0}, ""));
}

#define START "OPTIONS sip:h SIP/2.0\r\n"

/* The elements of all Contact lines, each in brackets, a line's first and last marked. */
static void
walked(const char *headers, const char *expected)
{
	static struct bp_sip_message m;
	struct bp_sip_walk walk = {.started = false};
	char text[1024], got[1024] = "";
	unsigned count = 0;

	snprintf(text, sizeof(text), START "%s\r\n", headers);
	parse_text(&m, text);
	while (bp_sip_walk_next(&m, BP_SIP_CONTACT, &walk)) {
		size_t used = strlen(got);

		assert_int_equal(walk.index, count++);
		snprintf(got + used, sizeof(got) - used, "%s[%.*s]%s", walk.first_of_line ? "^" : "",
			(int)walk.element.size, bp_sip_at(&m, walk.element), walk.last_of_line ? "$" : "");
	}
	assert_string_equal(got, expected);
	assert_false(bp_sip_walk_next(&m, BP_SIP_CONTACT, &walk));
}

static void
walk(void **state)
{
	walked("", "");
	walked("Contact: <a>\r\n", "^[<a>]$");
	walked("Contact: <a> , <b>\r\nX: y\r\nm: <c>\r\n", "^[<a>][<b>]$^[<c>]$");
	walked("Contact:\r\nContact: <a>\r\nContact:  \r\n", "^[<a>]$");
	walked("Contact: \"a,b\" <c,d>,e\r\n", "^[\"a,b\" <c,d>][e]$");
	walked("Contact: \"a\\\",b\" <c>;x=\"1,2\",e\r\n", "^[\"a\\\",b\" <c>;x=\"1,2\"][e]$");
	walked("Contact: a (b, (c\\), d)), e) ,f\r\n", "^[a (b, (c\\), d))][e)][f]$");
	walked("Contact: a (b (c), d), e\r\n", "^[a (b (c), d)][e]$");
	walked("Contact: a(b,c)\r\n", "^[a(b][c)]$");
	walked("Contact: a,\r\n b,\r\n\tc\r\n", "^[a][b][c]$");
	walked("Contact: a,,b\r\n", "^[a][][b]$");
	walked("Contact: ,a,\r\n", "^[][a][]$");
	walked("Contact: \"a,b\r\n", "^[\"a,b]$");
	walked("Contact: <a,b\r\n", "^[<a,b]$");
	walked("Contact: a, (b,c\r\n", "^[a][(b,c]$");
}

/* The first element of a Contact in one step, by every variant: what is behind the '>' counts. */
static void
first_element(void **state)
{
	static const struct {
		const char *value;
		bool good;
	} each[] = {
		{"<sip:carol@chicago.example.com;lr>", true},
		{"<sip:carol@chicago.example.com>,<sip:b>", true},
		{"<sip:carol@chicago.example.com>;expires=1", true},
		{"<sip:carol@chicago.example.com>x", false},
		{"<sip:carol@chicago.example.com>;", false},
		{"<sip:carol@chicago.example.com", false},
	};
	static struct bp_sip_message view;
	const struct bp_variant *chosen = bp_variant;
	struct bp_sip_address address;
	struct bp_sip_uri uri;
	char text[200];

	for (unsigned i = 0; bp_variants[i]; i++) {
		if (!bp_variants[i]->supported())
			continue;
		bp_variant = bp_variants[i];
		for (unsigned k = 0; k < sizeof(each) / sizeof(each[0]); k++) {
			int size = snprintf(text, sizeof(text),
				"SIP/2.0 200 OK\r\nContact: %s\r\nSubject: long enough\r\n\r\n", each[k].value);

			bp_sip_parse(&view, (const uint8_t *)text, (uint32_t)size, NULL);
			assert_int_equal(bp_sip_first_uri(&view, BP_SIP_CONTACT, &uri), each[k].good);
			assert_int_equal(bp_sip_first_address(&view, BP_SIP_CONTACT, &address), each[k].good);
			assert_int_equal(bp_sip_first_uri(&view, BP_SIP_ROUTE, &uri), false);
			if (each[k].good)
				assert_int_equal(address.uri.offset, 26);
		}
	}
	bp_variant = chosen;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(malformed),
		cmocka_unit_test(long_values),
		cmocka_unit_test(params),
		cmocka_unit_test(token),
		cmocka_unit_test(walk),
		cmocka_unit_test(first_element),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
