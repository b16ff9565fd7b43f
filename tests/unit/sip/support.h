/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the tests of dataplane/sip share: cmocka with its prerequisites, parsing of text,
 * comparison of spans with text, a seeded generator of random numbers.
 */
#ifndef BYEPASS_TESTS_SIP_SUPPORT_H
#define BYEPASS_TESTS_SIP_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sip/edit.h"
#include "sip/message.h"
#include "sip/scan.h"
#include "sip/uri.h"

extern const struct bp_sip_limits wide_limits;

/* Parses @text; the bytes stand in a block of exactly their size, so that ASan sees a read beyond it. Freed
 * by the next call. */
enum bp_sip_fault parse_bytes(struct bp_sip_message *m, const void *bytes, size_t size);
enum bp_sip_fault parse_text(struct bp_sip_message *m, const char *text);

/* Fails unless @span of @m reads @expected. */
#define assert_span(m, span, expected) check_span((m), (span), (expected), #span, __FILE__, __LINE__)
void check_span(const struct bp_sip_message *m, struct bp_span span, const char *expected, const char *what,
	const char *file, int line);

/* A file's bytes, malloc'ed; NULL when it cannot be read. */
uint8_t *read_file(const char *path, size_t *size);

/* xorshift64*, deterministic. */
uint64_t random_next(uint64_t *state);
static inline uint32_t
random_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((random_next(state) >> 32) * limit >> 32);
}

#endif
