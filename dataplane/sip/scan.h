/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Scanning: which of the next 64 bytes belong to a set, and where the lines of a
 * message end. The two primitives on which the parser and the cutters stand. Each exists
 * in several variants, one per instruction set; the best that the machine has is chosen when the
 * program is loaded. All variants give the same answer on all input, and none reads outside of
 * [bytes, bytes + end). No state but the choice; any thread.
 */
#ifndef BYEPASS_SIP_SCAN_H
#define BYEPASS_SIP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* A set of ASCII characters: bit h of rows[l] says whether the byte h << 4 | l is in it. Bytes over 0x7f
 * never are. */
struct bp_scan_set {
	uint8_t rows[16];
};

extern const struct bp_scan_set bp_set_token;        /* RFC 3261 25.1 token */
extern const struct bp_scan_set bp_set_word;         /* token and what word has beside it, and '@': Call-ID */
extern const struct bp_scan_set bp_set_host;         /* host name or IPv4; '_' is tolerated */
extern const struct bp_scan_set bp_set_ipv6;         /* inside of [] */
extern const struct bp_scan_set bp_set_uri;          /* visible but for " < > */
extern const struct bp_scan_set bp_set_uri_plain;    /* of those, what does not structure a SIP URI */
extern const struct bp_scan_set bp_set_param;        /* visible but for " < > , ; = */
extern const struct bp_scan_set bp_set_addr_spec;    /* URI without <>: visible but for " < > , ; ? */
extern const struct bp_scan_set bp_set_display_stop; /* what ends an unquoted display name */
extern const struct bp_scan_set bp_set_quoted_stop;  /* " and \ */
extern const struct bp_scan_set bp_set_list_stop;    /* what matters when a list is split: " < ( , */
extern const struct bp_scan_set bp_set_angle;        /* > */
extern const struct bp_scan_set bp_set_comment_stop; /* ( ) \ */
extern const struct bp_scan_set bp_set_colon;        /* : */
extern const struct bp_scan_set bp_set_space;        /* SP */

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

struct bp_scanner {
	const char *name;
	bool (*supported)(void);
	/* Bit i: bytes[at + i] is in @set. At most 64 bytes from @at, none at or after @end; at <= end. */
	uint64_t (*mask)(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set);
	/* Finds further line ends in bytes[lines->at .. size), up to the blank line or until BP_SCAN_LINES
	 * are found. ends[] is filled from its beginning on. No more to come: lines->body is set or lines->at
	 * >= size. */
	void (*lines)(const uint8_t *bytes, uint32_t size, struct bp_scan_lines *lines);
};

/* The variants, best first; NULL ends the list. The last one, plain C, is always supported. */
extern const struct bp_scanner *const bp_scanners[];

/* The variant in use. Set when the program is loaded; tests and benchmarks may set another, with no thread
 * running. */
extern const struct bp_scanner *bp_scan;

static inline bool
bp_set_has(const struct bp_scan_set *set, uint8_t byte)
{
	return byte < 0x80 && (set->rows[byte & 15] >> (byte >> 4) & 1);
}

/* First position in [at, end) whose byte is in @set, or @end. */
static inline uint32_t
bp_scan_find(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	while (at < end) {
		uint64_t mask = bp_scan->mask(bytes, at, end, set);

		if (mask)
			return at + (uint32_t)__builtin_ctzll(mask);
		at += 64;
	}
	return end;
}

/* First position in [at, end) whose byte is not in @set, or @end. */
static inline uint32_t
bp_scan_skip(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	while (at < end) {
		uint64_t mask = ~bp_scan->mask(bytes, at, end, set);

		if (mask) {
			at += (uint32_t)__builtin_ctzll(mask);
			return at < end ? at : end;
		}
		at += 64;
	}
	return end;
}

/* The first colon in [at, end), or @end. @size: bytes that may be read. Header names are short, and 16 bytes
 * can be looked at on any x86-64 without asking. */
static inline uint32_t
bp_scan_colon(const uint8_t *bytes, uint32_t at, uint32_t end, uint32_t size)
{
#if defined(__SSE2__)
	if (__builtin_expect(at + 16 <= size, 1)) {
		__m128i sixteen = _mm_loadu_si128((const __m128i *)(bytes + at));
		unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(sixteen, _mm_set1_epi8(':')));

		if (__builtin_expect(mask != 0, 1)) {
			at += (uint32_t)__builtin_ctz(mask);
			return at < end ? at : end;
		}
		at += 16;
	}
#endif
	return bp_scan_find(bytes, at, end, &bp_set_colon);
}

/* Stops at each byte that is not plain, one vector scan per 64 bytes. Only forward. */
struct bp_cursor {
	const uint8_t *bytes;
	const struct bp_scan_set *plain;
	uint64_t stops;
	uint32_t base;
	uint32_t end;
};

static inline void
bp_cursor_begin(
	struct bp_cursor *c, const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *plain)
{
	c->bytes = bytes;
	c->plain = plain;
	c->stops = 0;
	c->base = at - 64;
	c->end = end;
}

/* First position from @at on whose byte is not plain; the end when there is none. */
static inline uint32_t
bp_cursor_stop(struct bp_cursor *c, uint32_t at)
{
	for (;;) {
		uint32_t i = at - c->base;

		if (i < 64) {
			uint64_t stops = c->stops >> i;

			if (stops)
				return at + (uint32_t)__builtin_ctzll(stops);
			at = c->base + 64;
		}
		if (at >= c->end)
			return c->end;
		c->base = at;
		/* bits at and after the end come out set: the end is a stop */
		c->stops = ~bp_scan->mask(c->bytes, at, c->end, c->plain);
	}
}

static inline bool
bp_is_lws(uint8_t byte)
{
	/* SP, HTAB, CR, LF as bits of a word */
	return byte <= ' ' && ((uint64_t)0x100002600 >> byte & 1);
}

static inline uint32_t
bp_skip_lws(const uint8_t *bytes, uint32_t at, uint32_t end)
{
	while (at < end && bp_is_lws(bytes[at]))
		at++;
	return at;
}

/* Where [begin, end) ends once white space is cut off its end. */
static inline uint32_t
bp_trim_lws(const uint8_t *bytes, uint32_t begin, uint32_t end)
{
	while (end > begin && bp_is_lws(bytes[end - 1]))
		end--;
	return end;
}

/* A quoted string whose opening quote is at @at: the position after the closing one, 0 when there is none. */
uint32_t bp_scan_quoted(const uint8_t *bytes, uint32_t at, uint32_t end);

#endif
