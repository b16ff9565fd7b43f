/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers, durations, addresses as text: what is taken, and what is not.
 */
#include "config/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array[0]))

static void
test_number(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "01", "1.0", "0x1", "1e3",
		"18446744073709551616", "99999999999999999999999", "one"};
	uint64_t value;

	assert_true(bp_unit_number("0", &value));
	assert_int_equal(value, 0);
	assert_true(bp_unit_number("5060", &value));
	assert_int_equal(value, 5060);
	assert_true(bp_unit_number("18446744073709551615", &value));
	assert_true(value == UINT64_MAX);
	for (size_t i = 0; i < COUNT(bad); i++) {
		value = 42;
		assert_false(bp_unit_number(bad[i], &value));
		assert_int_equal(value, 42);
	}
}

static void
test_duration(void **state)
{
	static const struct {
		const char *text;
		uint64_t us;
	} good[] = {
		{"0s", 0},
		{"7us", 7},
		{"500ms", 500000},
		{"4s", 4000000},
		{"3m", 180000000},
		{"12h", 43200000000},
		{"7d", 604800000000},
	};
	static const char *const bad[] = {"", "5", "5 s", "5S", "5sec", "s", "1m30s", "0.5s", "-5s", "05s",
		"5min", "213503983d", "18446744073709551616us", "5s\n"};
	uint64_t us;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(bp_unit_duration(good[i].text, &us));
		assert_true(us == good[i].us);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(bp_unit_duration(bad[i], &us));
}

/* What is written is read back as the same, in the largest unit that is exact. */
static void
test_duration_text(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = {{0, "0s"}, {1, "1us"}, {1500, "1500us"}, {500000, "500ms"}, {90000000, "90s"},
		{180000000, "3m"}, {3600000000, "1h"}, {86400000000, "1d"},
		{UINT64_MAX, "18446744073709551615us"}};
	char text[32];
	uint64_t back;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(bp_unit_duration_text(rows[i].us, text, sizeof(text)), rows[i].text);
		assert_true(bp_unit_duration(text, &back));
		assert_true(back == rows[i].us);
	}
}

static void
test_ip(void **state)
{
	static const char *const bad[] = {"", "10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.1 ", "::g",
		"[::1]", "::ffff:10.0.0.1", "fe80::1%eth0", "localhost"};
	struct bp_ip ip;
	uint8_t family;

	assert_true(bp_unit_ip("10.0.0.1", &ip, &family));
	assert_int_equal(family, 4);
	assert_true(bp_ip_is_v4(&ip));
	assert_memory_equal(ip.bytes + 12, "\x0a\0\0\x01", 4);
	assert_true(bp_unit_ip("2001:db8::1", &ip, &family));
	assert_int_equal(family, 6);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(bp_unit_ip(bad[i], &ip, &family));
}

static void
test_prefix(void **state)
{
	static const char *const bad[] = {"10.0.0.1", "10.0.0.1/", "10.0.0.1/0", "10.0.0.1/33", "10.0.0.1/-1",
		"10.0.0.1/24/8", "2001:db8::1/129", "/24", "10.0.0.1/ 24",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64"};
	struct bp_prefix prefix;

	assert_true(bp_unit_prefix("192.0.2.1/24", &prefix));
	assert_int_equal(prefix.bits, 24);
	assert_true(bp_unit_prefix("2001:db8::1/128", &prefix));
	assert_int_equal(prefix.bits, 128);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(bp_unit_prefix(bad[i], &prefix));
}

static void
test_prefix_contains(void **state)
{
	static const struct {
		const char *prefix, *ip;
		bool inside;
	} rows[] = {
		{"192.0.2.1/24", "192.0.2.254", true},
		{"192.0.2.1/24", "192.0.3.1", false},
		{"192.0.2.1/23", "192.0.3.1", true},
		{"192.0.2.129/25", "192.0.2.127", false},
		{"192.0.2.1/32", "192.0.2.1", true},
		{"192.0.2.1/32", "192.0.2.0", false},
		{"192.0.2.1/1", "127.255.255.255", false},
		{"192.0.2.1/1", "255.0.0.1", true},
		{"192.0.2.1/24", "2001:db8::1", false},
		{"2001:db8::1/64", "2001:db8::ffff", true},
		{"2001:db8::1/64", "2001:db8:0:1::1", false},
		{"2001:db8::1/63", "2001:db8:0:1::1", true},
		{"2001:db8::1/128", "2001:db8::1", true},
		{"::/1", "192.0.2.1", false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bp_prefix prefix;
		struct bp_ip ip;
		uint8_t family;

		assert_true(bp_unit_prefix(rows[i].prefix, &prefix));
		assert_true(bp_unit_ip(rows[i].ip, &ip, &family));
		if (bp_prefix_contains(&prefix, &ip) != rows[i].inside)
			fail_msg("%s in %s", rows[i].ip, rows[i].prefix);
	}
}

static void
test_endpoint(void **state)
{
	static const char *const bad[] = {"", "10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536",
		"10.0.0.1:5060x", "2001:db8::1:5060", "[2001:db8::1]", "[2001:db8::1", "[2001:db8::1]5060",
		"[10.0.0.1]:5060", ":5060", "[]:1", "host:5060"};
	static const char *const good[] = {"10.0.0.1:5060", "[2001:db8::1]:65535"};
	char text[BP_ENDPOINT_TEXT_SIZE];
	struct bp_endpoint endpoint;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(bp_unit_endpoint(good[i], 0, &endpoint));
		bp_unit_endpoint_text(&endpoint.ip, endpoint.port, text, sizeof(text));
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(bp_unit_endpoint(bad[i], 0, &endpoint));
	assert_true(bp_unit_endpoint("[2001:db8::1]", 5060, &endpoint));
	assert_int_equal(endpoint.port, 5060);
	assert_true(bp_unit_endpoint("10.0.0.1:5080", 5060, &endpoint));
	assert_int_equal(endpoint.port, 5080);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_duration_text),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_prefix_contains),
		cmocka_unit_test(test_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
