/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What libosip2 and sofia-sip agree on about a message, we must agree on, too: whether it is one at all, and
 * each field that a proxy reads. Where we see it otherwise, a row of the table below names the sentence of
 * the RFC that says so; a row that is no longer needed is an error. Over the torture messages, the golden
 * ones, and those that byepass-bench measures with.
 */
#include "support.h"

#include "../../bench/parse.h"
#include "../../golden/escape.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define VERDICT PARSE_FIELD_COUNT /* not a field, but whether the message is taken at all */

struct difference {
	const char *message;
	unsigned field;
	const char *sentence;
	unsigned used;
};

/* clang-format off */
#define ENDS "RFC 3261 7: The start-line, each message-header line, and the empty line MUST be terminated by a " \
	"carriage-return line-feed sequence (CRLF)."
#define AT_LEAST "RFC 3261 8.1.1: A valid SIP request formulated by a UAC MUST, at a minimum, contain the following " \
	"header fields: To, From, CSeq, Call-ID, Max-Forwards, and Via"
#define METHODS "RFC 3261 8.1.1.5: The method MUST match that of the request."
#define ONCE "RFC 3261 7.3.1: any given parameter-name MUST NOT appear more than once."
#define HEADERS "RFC 3261 19.1.1, Table 1: headers, Req.-URI: \"-\" (not allowed)"
#define VERSION "RFC 3261 21.5.6: The server does not support, or refuses to support, the SIP protocol version that " \
	"was used in the request."

static struct difference differences[] = {
	/* we do not take it */
	{"badvers.dat", VERDICT, VERSION, 0},
	{"escruri.dat", VERDICT, HEADERS, 0},
	{"insuf.dat", VERDICT, AT_LEAST, 0},
	{"mismatch01.dat", VERDICT, METHODS, 0},
	{"mismatch02.dat", VERDICT, METHODS, 0},
	{"bare-carriage-return.sip", VERDICT, ENDS, 0},
	{"bare-line-feed.sip", VERDICT, ENDS, 0},
	{"headers-in-request-uri.sip", VERDICT, HEADERS, 0},
	{"line-feeds-only.sip", VERDICT, ENDS, 0},
	{"long-method-mismatch.sip", VERDICT, METHODS, 0},
	{"little-more-than-nothing.sip", VERDICT, AT_LEAST, 0},
	{"method-mismatch.sip", VERDICT, METHODS, 0},
	{"no-blank-line.sip", VERDICT,
		"RFC 3261 7: Note that the empty line MUST be present even if the message-body is not.", 0},
	{"no-semicolon-before-lr.sip", VERDICT,
		"RFC 3261 7.1: The Request-URI MUST NOT contain unescaped spaces or control characters", 0},
	{"repeated-branch.sip", VERDICT, ONCE, 0},
	{"repeated-tag.sip", VERDICT, ONCE, 0},
	{"unknown-method-mismatch.sip", VERDICT, METHODS, 0},
	{"version-unknown.sip", VERDICT, VERSION, 0},
	/* we take it: octets that end a C string are allowed behind a backslash */
	{"intmeth.dat", VERDICT, "RFC 4475 3.1.1.2: quoted-pair expansions, including a quoted NULL character", 0},
	{"odd-characters.sip", VERDICT, "RFC 3261 25.1: quoted-pair = \"\\\" (%x00-09 / %x0B-0C / %x0E-7F)", 0},
	/* we leave a value as it is written */
	{"esc01.dat", PARSE_CONTACT, "RFC 3261 19.1.4: Characters other than those in the \"reserved\" set (see RFC 2396 [5]) "
		"are equivalent to their \"\"%\" HEX HEX\" encoding.", 0},
};
/* clang-format on */
#define DIFFERENCES (sizeof(differences) / sizeof(differences[0]))

static struct {
	unsigned messages, fields, agreed, explained, wrong;
} count;

static bool corpora_read; /* they may be absent */

static bool
explained(const char *message, unsigned field)
{
	for (size_t i = 0; i < DIFFERENCES; i++) {
		struct difference *row = &differences[i];

		if (row->field == field && strcmp(row->message, message) == 0) {
			row->used++;
			count.explained++;
			return true;
		}
	}
	count.wrong++;
	return false;
}

static void
compare_field(const char *message, unsigned field, const char *ours, const char *theirs)
{
	count.fields++;
	if (strcmp(ours, theirs) == 0)
		count.agreed++;
	else if (!explained(message, field))
		print_error("%s, %s: both have \"%s\", we have \"%s\"\n", message, parse_field_names[field],
			theirs, ours);
}

static void
compare(const char *message, const uint8_t *bytes, size_t size)
{
	static struct parse_fields ours, osip, sofia;
	bool we, they;

	memset(&ours, 0, sizeof(ours));
	memset(&osip, 0, sizeof(osip));
	memset(&sofia, 0, sizeof(sofia));
	they = parse_osip.fields(bytes, (uint32_t)size, &osip);
	if (parse_sofia.fields(bytes, (uint32_t)size, &sofia) != they)
		return;
	count.messages++;
	count.fields++;
	we = parse_byepass.fields(bytes, (uint32_t)size, &ours);
	if (we == they)
		count.agreed++;
	else if (!explained(message, VERDICT))
		print_error("%s: both %s it, we do not\n", message, they ? "take" : "refuse");
	if (!we || !they)
		return;
	for (unsigned field = 0; field < PARSE_FIELD_COUNT; field++)
		if (strcmp(osip.text[field], sofia.text[field]) == 0)
			compare_field(message, field, ours.text[field], osip.text[field]);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* All files of a folder whose names end with @end. Returns how many. */
static unsigned
compare_folder(const char *folder, const char *end, bool escaped)
{
	struct dirent **entries;
	unsigned files = 0;
	int found = scandir(folder, &entries, NULL, by_name);

	for (int i = 0; i < found; i++) {
		const char *name = entries[i]->d_name;
		size_t size = strlen(name), tail = strlen(end);
		char path[1024];
		uint8_t *bytes;

		if (name[0] != '.' && size > tail && strcmp(name + size - tail, end) == 0) {
			snprintf(path, sizeof(path), "%s/%s", folder, name);
			bytes = read_file(path, &size);
			assert_non_null(bytes);
			bytes = realloc(bytes, 2 * size + 1);
			if (escaped)
				size = golden_unescape(bytes, size);
			compare(name, bytes, size);
			free(bytes);
			files++;
		}
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return files;
}

static void
report(void)
{
	print_message("%u messages on which both agree, %u fields: we agree on %u, %u are explained, %u are "
		      "wrong\n",
		count.messages, count.fields, count.agreed, count.explained, count.wrong);
	assert_int_equal(count.wrong, 0);
	assert_int_equal(count.fields, count.agreed + count.explained);
}

static int
begin(void **state)
{
	memset(&count, 0, sizeof(count));
	return 0;
}

static void
torture(void **state)
{
	const char *corpora = getenv("BYEPASS_CORPORA");
	char path[512];

	if (!corpora)
		skip();
	snprintf(path, sizeof(path), "%s/rfc4475", corpora);
	if (compare_folder(path, ".dat", false) == 0)
		skip();
	corpora_read = true;
	snprintf(path, sizeof(path), "%s/rfc5118", corpora);
	assert_true(compare_folder(path, "", false) > 0);
	report();
}

static void
golden(void **state)
{
	const char *folder = getenv("BYEPASS_GOLDEN");

	assert_non_null(folder);
	assert_true(compare_folder(folder, ".sip", true) > 0);
	report();
}

static void
bench(void **state)
{
	parse_messages_make(3261);
	for (unsigned i = 0; i < PARSE_MIX; i++)
		compare(parse_mix[i].name, parse_mix[i].bytes, parse_mix[i].size);
	for (unsigned i = 0; i < PARSE_VARIED; i++)
		compare(parse_varied[i].name, parse_varied[i].bytes, parse_varied[i].size);
	assert_int_equal(count.messages, PARSE_MIX + PARSE_VARIED);
	report();
}

static void
no_row_is_idle(void **state)
{
	unsigned idle = 0;

	for (size_t i = 0; i < DIFFERENCES; i++) {
		const char *name = differences[i].message;

		if (differences[i].used > 0 || (!corpora_read && strstr(name, ".dat")))
			continue;
		print_error("%s: nothing to explain any more\n", name);
		idle++;
	}
	assert_int_equal(idle, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(torture, begin),
		cmocka_unit_test_setup(golden, begin),
		cmocka_unit_test_setup(bench, begin),
		cmocka_unit_test(no_row_is_idle),
	};

	parse_osip.setup();
	parse_sofia.setup();
	parse_byepass.setup();
	return cmocka_run_group_tests_name("differential", tests, NULL, NULL);
}
