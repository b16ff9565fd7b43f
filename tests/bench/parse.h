/* SPDX-License-Identifier: BSD-3-Clause
 *
 * `byepass-bench parse`: the messages, the parsers that are compared, and how they are
 * measured. Each parser finds the same fields on the same bytes; what it allocates for that it frees again
 * within the time measured. Only parse_osip.c and parse_sofia.c know the headers of the other libraries.
 */
#ifndef BYEPASS_BENCH_PARSE_H
#define BYEPASS_BENCH_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* What a stateful proxy needs of a message. As text, for comparison; empty: absent. */
#define PARSE_FIELDS(X)                                                                                      \
	X(METHOD)                                                                                            \
	X(STATUS) X(URI_USER) X(URI_HOST) X(URI_PORT) X(VIA_HOST) X(VIA_PORT) X(BRANCH) X(RECEIVED) X(RPORT) X(FROM_TAG) \
		X(TO_TAG) X(CALL_ID) X(CSEQ) X(CSEQ_METHOD) X(MAX_FORWARDS) X(ROUTE_HOST) X(ROUTE_PORT)      \
			X(ROUTE_LR) X(RECORD_HOST) X(RECORD_PORT) X(RECORD_LR) X(CONTACT) X(CONTENT_LENGTH)

enum parse_field {
#define X(name) PARSE_##name,
	PARSE_FIELDS(X)
#undef X
		PARSE_FIELD_COUNT,
};

#define PARSE_TEXT_MAX 1024

struct parse_fields {
	char text[PARSE_FIELD_COUNT][PARSE_TEXT_MAX];
};

extern const char *const parse_field_names[PARSE_FIELD_COUNT];

/* @size bytes of @text into a field; NULL leaves it empty. Longer ones are cut. */
void parse_field_set(struct parse_fields *fields, enum parse_field field, const void *text, uint32_t size);
void parse_field_text(struct parse_fields *fields, enum parse_field field, const char *text);
void parse_field_number(struct parse_fields *fields, enum parse_field field, uint32_t number);

struct parse_parser {
	const char *name;
	/* Once, before all else. */
	void (*setup)(void);
	/* What is measured: finds all fields, keeps them where its kind keeps them, frees. False: malformed.
	 */
	bool (*run)(const uint8_t *bytes, uint32_t size);
	/* The same, with the fields as text. NULL: finds none (a floor). */
	bool (*fields)(const uint8_t *bytes, uint32_t size, struct parse_fields *fields);
};

extern const struct parse_parser parse_byepass;
#ifdef BENCH_OSIP
extern const struct parse_parser parse_osip;
#endif
#ifdef BENCH_SOFIA
extern const struct parse_parser parse_sofia;
#endif
extern const struct parse_parser parse_scan;   /* floor: offsets of line ends and colons, nothing else */
extern const struct parse_parser parse_memcpy; /* floor: a copy */

struct parse_message {
	const char *name;
	const uint8_t *bytes;
	uint32_t size;
};

#define PARSE_MIX 5
#define PARSE_VARIED 1000

/* The five: INVITE with SDP, 180, 200, BYE, CANCEL. */
extern struct parse_message parse_mix[PARSE_MIX];

/* As many of each of the five kinds, with other names, tags, hosts, and their headers in another order. The
 * same @seed gives the same messages. */
extern struct parse_message parse_varied[PARSE_VARIED];

/* Makes both. The bytes stand as they do behind a packet's headers: 42 bytes behind the begin of a cache
 * line. */
void parse_messages_make(uint64_t seed);

/* Instructions that the processor runs in one @parser->run() of @message once everything is warm, by single
 * steps of a child process; 0 when this system does not allow that. */
uint64_t parse_count_instructions(const struct parse_parser *parser, const struct parse_message *message);

#endif
