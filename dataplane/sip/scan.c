/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Scanning in plain C, eight bytes at a time, and the choice among the variants.
 * Neighbours: scan_x86.c has the vector variants.
 */
#include "sip/scan.h"
#include "sip/scan_block.h"

/* clang-format off */
#define ALPHA(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))
#define DIGIT(c) ((c) >= '0' && (c) <= '9')
#define ALNUM(c) (ALPHA(c) || DIGIT(c))
#define HEX(c) (DIGIT(c) || ((c) >= 'a' && (c) <= 'f') || ((c) >= 'A' && (c) <= 'F'))
#define VISIBLE(c) ((c) > 0x20 && (c) < 0x7f)
#define TOKEN(c) (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '!' || (c) == '%' || (c) == '*' || \
	(c) == '_' || (c) == '+' || (c) == '`' || (c) == '\'' || (c) == '~')
#define WORD(c) (TOKEN(c) || (c) == '(' || (c) == ')' || (c) == '<' || (c) == '>' || (c) == ':' || \
	(c) == '\\' || (c) == '"' || (c) == '/' || (c) == '[' || (c) == ']' || (c) == '?' || (c) == '{' || \
	(c) == '}' || (c) == '@')
#define HOST(c) (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_')
#define IPV6(c) (HEX(c) || (c) == ':' || (c) == '.')
#define URI(c) (VISIBLE(c) && (c) != '"' && (c) != '<' && (c) != '>')
#define URI_PLAIN(c) (URI(c) && (c) != '@' && (c) != ':' && (c) != ';' && (c) != '?' && (c) != '[' && \
	(c) != '%')
#define PARAM(c) (URI(c) && (c) != ',' && (c) != ';' && (c) != '=')
#define ADDR_SPEC(c) (URI(c) && (c) != ',' && (c) != ';' && (c) != '?')
#define DISPLAY_STOP(c) (!TOKEN(c) && (c) != ' ' && (c) != '\t' && (c) != '\r' && (c) != '\n')
#define QUOTED_STOP(c) ((c) == '"' || (c) == '\\')
#define LIST_STOP(c) ((c) == '"' || (c) == '<' || (c) == '(' || (c) == ',')
#define ANGLE(c) ((c) == '>')
#define COMMENT_STOP(c) ((c) == '(' || (c) == ')' || (c) == '\\')
#define COLON(c) ((c) == ':')
#define SPACE(c) ((c) == ' ')

#define ROW(in, l) \
	(in(0x00 | l) | in(0x10 | l) << 1 | in(0x20 | l) << 2 | in(0x30 | l) << 3 | \
	in(0x40 | l) << 4 | in(0x50 | l) << 5 | in(0x60 | l) << 6 | in(0x70 | l) << 7)
#define SET(in) {{ROW(in, 0), ROW(in, 1), ROW(in, 2), ROW(in, 3), \
	ROW(in, 4), ROW(in, 5), ROW(in, 6), ROW(in, 7), ROW(in, 8), ROW(in, 9), ROW(in, 10), ROW(in, 11), ROW(in, 12), ROW(in, 13), ROW(in, 14), ROW(in, 15)}}

const struct bp_scan_set bp_set_token = SET(TOKEN);
const struct bp_scan_set bp_set_word = SET(WORD);
const struct bp_scan_set bp_set_host = SET(HOST);
const struct bp_scan_set bp_set_ipv6 = SET(IPV6);
const struct bp_scan_set bp_set_uri = SET(URI);
const struct bp_scan_set bp_set_uri_plain = SET(URI_PLAIN);
const struct bp_scan_set bp_set_param = SET(PARAM);
const struct bp_scan_set bp_set_addr_spec = SET(ADDR_SPEC);
const struct bp_scan_set bp_set_display_stop = SET(DISPLAY_STOP);
const struct bp_scan_set bp_set_quoted_stop = SET(QUOTED_STOP);
const struct bp_scan_set bp_set_list_stop = SET(LIST_STOP);
const struct bp_scan_set bp_set_angle = SET(ANGLE);
const struct bp_scan_set bp_set_comment_stop = SET(COMMENT_STOP);
const struct bp_scan_set bp_set_colon = SET(COLON);
const struct bp_scan_set bp_set_space = SET(SPACE);
/* clang-format on */

static bool
plain_supported(void)
{
	return true;
}

static uint64_t
plain_mask(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	uint32_t count = end - at < 64 ? end - at : 64;
	uint64_t mask = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t byte = bytes[at + i];

		/* a byte over 0x7f shifts all eight bits out */
		mask |= (uint64_t)(set->rows[byte & 15] >> (byte >> 4) & 1) << i;
	}
	return mask;
}

/* Eight bits: which bytes of @word are equal to the byte that @pattern repeats. Exact, no borrow between
 * bytes. */
static inline uint64_t
word_equal(uint64_t word, uint64_t pattern)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7f;
	uint64_t x = word ^ pattern;
	uint64_t zero = ~(((x & low) + low) | x | low);

	return (zero >> 7) * 0x0102040810204080 >> 56;
}

static inline __attribute__((always_inline)) void
plain_block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	uint64_t c = 0, l = 0;

	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t word;

		memcpy(&word, p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		c |= word_equal(word, 0x0d0d0d0d0d0d0d0d) << i;
		l |= word_equal(word, 0x0a0a0a0a0a0a0a0a) << i;
	}
	*cr = c;
	*lf = l;
}

static void
plain_lines(const uint8_t *bytes, uint32_t size, struct bp_scan_lines *lines)
{
	scan_lines(bytes, size, lines, plain_block);
}

static const struct bp_scanner plain = {"plain", plain_supported, plain_mask, plain_lines};

const struct bp_scanner *const bp_scanners[] = {
#if defined(__x86_64__)
	&bp_scan_avx512,
	&bp_scan_avx2,
	&bp_scan_sse42,
#endif
	&plain,
	NULL,
};

const struct bp_scanner *bp_scan = &plain;

__attribute__((constructor)) static void
scan_choose(void)
{
	const struct bp_scanner *const *scanner = bp_scanners;

#if defined(__x86_64__)
	__builtin_cpu_init();
#endif
	while (!(*scanner)->supported())
		scanner++;
	bp_scan = *scanner;
}

uint32_t
bp_scan_quoted(const uint8_t *bytes, uint32_t at, uint32_t end)
{
	for (at++; at < end; at += 2) {
		at = bp_scan_find(bytes, at, end, &bp_set_quoted_stop);
		if (at < end && bytes[at] == '"')
			return at + 1;
	}
	return 0;
}
