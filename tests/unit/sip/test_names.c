/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every header and method name is recognized, in any case where case does not
 * matter, and nothing near it is; the words of text.c.
 */
#include "sip/header_name.h"
#include "support.h"

#include <ctype.h>

struct row {
	enum bp_sip_header_id id;
	const char *name;
	char compact;
};

static const struct row rows[] = {
#define X(id, name, compact) {BP_SIP_##id, name, compact},
	BP_SIP_HEADERS(X)
#undef X
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint8_t
id_of(const char *name, uint32_t size, uint32_t room)
{
	return bp_header_id((const uint8_t *)name, size, room);
}

static void
headers(void **state)
{
	for (unsigned i = 0; i < ROWS; i++) {
		char name[32] = {0};
		uint32_t size = (uint32_t)strlen(rows[i].name);

		memcpy(name, rows[i].name, size);
		assert_int_equal(id_of(name, size, sizeof(name)), rows[i].id);
		assert_int_equal(id_of(name, size, size), rows[i].id);
		for (uint32_t k = 0; k < size; k++)
			name[k] = (char)toupper(name[k]);
		assert_int_equal(id_of(name, size, sizeof(name)), rows[i].id);
		for (uint32_t k = 0; k < size; k++)
			name[k] = (char)tolower(name[k]);
		assert_int_equal(id_of(name, size, size), rows[i].id);
		if (rows[i].compact == 0)
			continue;
		name[0] = rows[i].compact;
		assert_int_equal(id_of(name, 1, sizeof(name)), rows[i].id);
		name[0] = (char)toupper(rows[i].compact);
		assert_int_equal(id_of(name, 1, 1), rows[i].id);
	}
}

/* One byte changed by one bit, longer or shorter: another header. A CR that folding would turn into '-', too.
 */
static void
near_misses(void **state)
{
	for (unsigned i = 0; i < ROWS; i++) {
		uint32_t size = (uint32_t)strlen(rows[i].name);
		char name[32] = {0};

		memcpy(name, rows[i].name, size);
		assert_int_not_equal(id_of(name, size + 1, sizeof(name)), rows[i].id);
		if (size > 2) /* T is To */
			assert_int_not_equal(id_of(name, size - 1, sizeof(name)), rows[i].id);
		for (uint32_t k = 0; k < size; k++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				if (bit == 5 && isalpha((unsigned char)name[k]))
					continue;
				name[k] = (char)(name[k] ^ (char)(1u << bit));
				assert_int_not_equal(id_of(name, size, sizeof(name)), rows[i].id);
				name[k] = rows[i].name[k];
			}
		}
	}
	assert_int_equal(id_of("Subject", 7, 8), BP_SIP_OTHER);
	assert_int_equal(id_of("", 0, 0), BP_SIP_OTHER);
}

static void
methods(void **state)
{
	for (unsigned i = 1; i < BP_METHOD_COUNT; i++) {
		const char *name = bp_sip_method_name((enum bp_method)i);
		uint32_t size = (uint32_t)strlen(name);
		char other[16] = {0};

		memcpy(other, name, size);
		assert_int_equal(bp_method_id((const uint8_t *)name, size, size), i);
		assert_int_equal(bp_method_id((const uint8_t *)other, size, sizeof(other)), i);
		assert_int_equal(
			bp_method_id((const uint8_t *)other, size + 1, sizeof(other)), BP_METHOD_OTHER);
		other[0] |= 0x20; /* case matters: 7.1 */
		assert_int_equal(bp_method_id((const uint8_t *)other, size, sizeof(other)), BP_METHOD_OTHER);
		other[0] = name[0];
		other[size - 1] ^= 1;
		assert_int_equal(bp_method_id((const uint8_t *)other, size, sizeof(other)), BP_METHOD_OTHER);
	}
	assert_string_equal(bp_sip_method_name(BP_METHOD_OTHER), "OTHER");
	assert_string_equal(bp_sip_method_name(BP_METHOD_SUBSCRIBE), "SUBSCRIBE");
}

static void
words(void **state)
{
	assert_string_equal(bp_sip_reason(100), "Trying");
	assert_string_equal(bp_sip_reason(487), "Request Terminated");
	assert_string_equal(bp_sip_reason(499), "Bad Request");
	assert_string_equal(bp_sip_reason(699), "Busy Everywhere");
	assert_string_equal(bp_sip_reason(700), "Unknown");
	assert_int_equal(bp_sip_fault_status(BP_SIP_FAULT_VERSION), 505);
	assert_int_equal(bp_sip_fault_status(BP_SIP_FAULT_METHOD), 501);
	assert_int_equal(bp_sip_fault_status(BP_SIP_FAULT_NO_VIA), 0);
	assert_int_equal(bp_sip_fault_status(BP_SIP_FAULT_COUNT), 0);
	assert_string_equal(bp_sip_fault_text(BP_SIP_FAULT_BAD_VIA), "Bad Via");
	for (unsigned i = 0; i < BP_SIP_FAULT_COUNT; i++)
		assert_non_null(bp_sip_fault_text((enum bp_sip_fault)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(near_misses),
		cmocka_unit_test(methods),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
