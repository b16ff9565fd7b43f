/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ladders against drawings that people made up their minds about: golden/NAME.txt.
 * argv[1]: the folder. UPDATE_GOLDEN=1 in the environment writes them anew.
 */
#include "fake_dataplane.h"
#include "trace/ladder.h"
#include "trace/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *folder;

static struct bp_config_realm realms[] = {
	{"access", BP_TRUST_UNTRUSTED}, {"core", BP_TRUST_TRUSTED}, {"peers", BP_TRUST_UNTRUSTED}};
static struct bp_config_listener listeners[] = {{.realm = 0}, {.realm = 1}, {.realm = 2}};
static const struct bp_config config = {
	.realm_count = 3, .listener_count = 3, .realms = realms, .listeners = listeners};

static char *
draw(const struct bp_event_message *events, unsigned count, unsigned width)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	bp_ladder_draw(events, count, &config, width, stream);
	fclose(stream);
	return text;
}

static void
assert_golden(const char *name, const char *drawn)
{
	char path[512], golden[16384];
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.txt", folder, name);
	file = fopen(path, getenv("UPDATE_GOLDEN") != NULL ? "w+" : "r");
	assert_non_null(file);
	if (getenv("UPDATE_GOLDEN") != NULL) {
		fputs(drawn, file);
		rewind(file);
	}
	size = fread(golden, 1, sizeof(golden) - 1, file);
	golden[size] = '\0';
	fclose(file);
	assert_string_equal(drawn, golden);
}

/* No line is longer than the terminal. */
static void
assert_fits(const char *drawn, size_t width)
{
	for (const char *line = drawn; *line != '\0'; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, width);
}

static void
test_answered(void **state)
{
	struct bp_event_message events[32];
	unsigned count = fake_answered_call(events, "1-4711@192.0.2.10");
	char *drawn = draw(events, count, 80);

	assert_golden("answered", drawn);
	assert_fits(drawn, 80);
	free(drawn);
}

static void
test_cancelled(void **state)
{
	struct bp_event_message events[32];
	unsigned count = fake_cancelled_call(events, "1-4712@192.0.2.10");
	char *drawn = draw(events, count, 80);

	assert_golden("cancelled", drawn);
	assert_fits(drawn, 80);
	free(drawn);
}

static void
test_ipv6(void **state)
{
	struct bp_event_message events[32];
	unsigned count = fake_cancelled_call(events, "1-4713@[2001:db8:1::10]");
	char *drawn;

	for (unsigned i = 0; i < count; i++) {
		struct bp_event_message far;

		fake_event(&far, 0,
			events[i].flow.listener == 0 ? "[2001:db8:1::10]:5060" : "[2001:db8:2::2]:5060", 0,
			BP_IN, 0, BP_METHOD_INVITE, 1, "");
		events[i].flow.ip = far.flow.ip;
	}
	drawn = draw(events, count, 80);
	assert_golden("ipv6", drawn);
	assert_fits(drawn, 80);
	free(drawn);
}

/* A fork: two servers on the right; the arrow to the far one passes the near one. */
static void
test_fork(void **state)
{
	struct bp_event_message e[16];
	unsigned n = 0;
	char *drawn;

	fake_event(&e[n++], 1000000, "192.0.2.10:5060", 0, BP_IN, 0, BP_METHOD_INVITE, 1,
		"INVITE sip:b@e SIP/2.0");
	fake_event(&e[n++], 1000001, "10.0.0.2:5060", 1, BP_OUT, 0, BP_METHOD_INVITE, 1,
		"INVITE sip:b@e SIP/2.0");
	fake_event(&e[n++], 1000002, "10.0.0.2:5060", 1, BP_IN, 503, BP_METHOD_INVITE, 1,
		"SIP/2.0 503 Service Unavailable");
	fake_event(&e[n++], 1000003, "10.0.0.2:5060", 1, BP_OUT, 0, BP_METHOD_ACK, 1, "ACK sip:b@e SIP/2.0");
	fake_event(&e[n++], 1000004, "10.0.0.3:5060", 1, BP_OUT, 0, BP_METHOD_INVITE, 1,
		"INVITE sip:b@e SIP/2.0");
	fake_event(&e[n++], 1000005, "10.0.0.3:5060", 1, BP_IN, 481, BP_METHOD_INVITE, 1,
		"SIP/2.0 481 Call/Transaction Does Not Exist");
	snprintf(e[0].call_id, sizeof(e[0].call_id), "fork@192.0.2.10");
	drawn = draw(e, n, 80);
	assert_golden("fork", drawn);
	assert_fits(drawn, 80);
	free(drawn);
}

/* Untrusted on both sides: the caller stands left of the edge. */
static void
test_one_trust(void **state)
{
	struct bp_event_message e[4];
	char *drawn;

	fake_event(&e[0], 0, "203.0.113.5:5060", 2, BP_IN, 0, BP_METHOD_OPTIONS, 4294967295u,
		"OPTIONS sip:e SIP/2.0");
	fake_event(&e[1], 1, "192.0.2.10:5060", 0, BP_OUT, 0, BP_METHOD_OPTIONS, 4294967295u,
		"OPTIONS sip:e SIP/2.0");
	snprintf(e[0].call_id, sizeof(e[0].call_id), "options@203.0.113.5");
	drawn = draw(e, 2, 80);
	assert_golden("one_trust", drawn);
	assert_fits(drawn, 80);
	free(drawn);
}

/* What the network sends does not reach the terminal as it is; nonsense is drawn without harm. */
static void
test_hostile(void **state)
{
	struct bp_event_message e[40];
	char *drawn;

	for (unsigned i = 0; i < 40; i++) {
		char far[32];

		snprintf(far, sizeof(far), "198.51.100.%u:%u", i + 1, 65535 - i);
		fake_event(&e[i], i == 5 ? 0 : 1000, far, (uint16_t)(i * 9), i % 2 ? BP_IN : BP_OUT, 0, 0, i,
			"\x1b[31mEVIL\x07\xff and then a line that is longer than any column of a ladder "
			"could ever be");
		e[i].method = (uint8_t)(i * 7);
		if (i % 3 == 0)
			e[i].status = (uint16_t)(i * 1700);
		memset(e[i].call_id, i % 2 ? '\n' : 'x', sizeof(e[i].call_id) - 1);
	}
	for (unsigned width = BP_LADDER_WIDTH_MIN; width <= BP_LADDER_WIDTH_MAX; width += 17) {
		drawn = draw(e, 40, width);
		for (const char *p = drawn; *p != '\0'; p++)
			assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
		free(drawn);
	}
	drawn = draw(e, 0, 80);
	assert_string_equal(drawn != NULL ? drawn : "", "");
	free(drawn);
}

static void
test_repeated(void **state)
{
	struct bp_event_message e[4];

	fake_event(&e[0], 0, "192.0.2.10:5060", 0, BP_IN, 0, BP_METHOD_INVITE, 1, "INVITE sip:b SIP/2.0");
	e[1] = e[2] = e[3] = e[0];
	e[2].direction = BP_OUT;
	e[3].cseq = 2;
	assert_false(bp_trace_is_repeated(e, 0));
	assert_true(bp_trace_is_repeated(e, 1));
	assert_false(bp_trace_is_repeated(e, 2));
	assert_false(bp_trace_is_repeated(e, 3));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_one_trust),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_repeated),
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
