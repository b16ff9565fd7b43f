/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Variants: the parser and the cutters exist once per instruction set, compiled from the
 * same source (variant.c); the best that the machine has is chosen when the program is loaded. All variants
 * give the same answer on all input, and none reads outside of the bytes it was given. Here are also the sets
 * of characters that they scan for. Private to the room, its tests and benchmarks. No state but the choice.
 */
#ifndef BYEPASS_SIP_SCAN_H
#define BYEPASS_SIP_SCAN_H

#include "sip/message.h"
#include "sip/shape.h"
#include "sip/uri.h"

#include <stddef.h>

/* A set of ASCII characters: bit h of rows[l] says whether the byte h << 4 | l is in it. Bytes over 0x7f
 * never are. */
struct bp_scan_set {
	uint8_t rows[16];
};

#pragma GCC visibility push(hidden) /* no detour on the way to the sets */
extern const struct bp_scan_set bp_set_token;        /* RFC 3261 25.1 token */
extern const struct bp_scan_set bp_set_word;         /* token and what word has beside it, and '@': Call-ID */
extern const struct bp_scan_set bp_set_host;         /* host name or IPv4; '_' is tolerated */
extern const struct bp_scan_set bp_set_ipv6;         /* inside of [] */
extern const struct bp_scan_set bp_set_uri;          /* visible but for " < > */
extern const struct bp_scan_set bp_set_uri_plain;    /* of those, what does not structure a SIP URI */
extern const struct bp_scan_set bp_set_uri_param;    /* of those, what does not structure its parameters */
extern const struct bp_scan_set bp_set_param;        /* visible but for " < > , ; = */
extern const struct bp_scan_set bp_set_addr_spec;    /* URI without <>: visible but for " < > , ; ? */
extern const struct bp_scan_set bp_set_display_stop; /* what ends an unquoted display name */
extern const struct bp_scan_set bp_set_quoted_stop;  /* " and \ */
extern const struct bp_scan_set bp_set_list_stop;    /* what matters when a list is split: " < ( , */
extern const struct bp_scan_set bp_set_angle;        /* > */
extern const struct bp_scan_set bp_set_comment_stop; /* ( ) \ */
extern const struct bp_scan_set bp_set_colon;        /* : */
#pragma GCC visibility pop

static inline bool
bp_set_has(const struct bp_scan_set *set, uint8_t byte)
{
	return byte < 0x80 && (set->rows[byte & 15] >> (byte >> 4) & 1);
}

#define BP_SCAN_LINES 64 /* line ends that one call of lines() may leave room for, at the least */

/* Where a scan for line ends stands. */
struct bp_scan_lines {
	uint32_t at;        /* the next block begins here */
	uint32_t count;     /* of ends[] */
	uint32_t body;      /* first byte after the blank line; 0: not found yet */
	uint32_t stray;     /* offset of the first CR or LF that is not part of a CRLF, plus 1; 0: none */
	uint64_t last_cr;   /* 1: the byte before @at is a CR */
	uint64_t last_ends; /* bits 62 and 63: the two bytes before @at end a line */
	/* offsets of the bytes after each CRLF, the blank line's included */
	uint16_t ends[2 * BP_SCAN_LINES + 4];
};

/* To the beginning; what stands in ends[] does not matter. */
static inline void
bp_scan_lines_begin(struct bp_scan_lines *lines)
{
	memset(lines, 0, offsetof(struct bp_scan_lines, ends));
}

struct bp_variant {
	const char *name;
	bool (*supported)(void);
	/* The library's functions, see message.h and uri.h. */
	enum bp_sip_fault (*parse)(
		struct bp_sip_message *m, const uint8_t *bytes, uint32_t size, const struct bp_sip_limits *limits);
	enum bp_sip_fault (*parse_shaped)(struct bp_sip_shapes *shapes, struct bp_sip_message *m, const uint8_t *bytes,
		uint32_t size, const struct bp_sip_limits *limits);
	bool (*walk_next)(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_walk *walk);
	bool (*first_uri)(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_uri *uri);
	bool (*first_address)(
		const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_address *address);
	bool (*via_cut)(const uint8_t *bytes, struct bp_span value, struct bp_sip_via *via);
	bool (*line_via)(const struct bp_sip_message *m, const struct bp_sip_header *header, struct bp_sip_via *via);
	bool (*uri_cut)(const uint8_t *bytes, struct bp_span span, struct bp_sip_uri *uri);
	bool (*address_cut)(const uint8_t *bytes, struct bp_span value, struct bp_sip_address *address);
	bool (*param)(const uint8_t *bytes, struct bp_span params, const char *name, struct bp_span *value);
	/* For tests: the first position in [at, end) whose byte is in @set, or is not; @end when there is none. */
	uint32_t (*find)(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set);
	uint32_t (*find_other)(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set);
	/* Finds further line ends in bytes[lines->at .. size), up to the blank line or until BP_SCAN_LINES
	 * are found. ends[] is filled from its beginning on. No more to come: lines->body is set or lines->at
	 * >= size. */
	void (*lines)(const uint8_t *bytes, uint32_t size, struct bp_scan_lines *lines);
};

extern const struct bp_variant bp_variant_plain;
#if defined(__x86_64__)
extern const struct bp_variant bp_variant_sse42, bp_variant_avx2, bp_variant_avx512;
#endif

/* The variants, best first; NULL ends the list. The last one, plain C, is always supported. */
extern const struct bp_variant *const bp_variants[];

/* The variant in use. Set when the program is loaded; tests and benchmarks may set another, with no thread
 * running. */
extern const struct bp_variant *bp_variant;

#endif
