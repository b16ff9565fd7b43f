/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The sets of characters, the choice among the variants, and the functions of the
 * library that go through it. Neighbour: variant.c is what each variant consists of.
 */
#include "sip/scan.h"
#include "sip/vector.h"

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
#define URI_PARAM(c) (URI_PLAIN(c) && PARAM(c))
#define ADDR_SPEC(c) (URI(c) && (c) != ',' && (c) != ';' && (c) != '?')
#define DISPLAY_STOP(c) (!TOKEN(c) && (c) != ' ' && (c) != '\t' && (c) != '\r' && (c) != '\n')
#define QUOTED_STOP(c) ((c) == '"' || (c) == '\\')
#define LIST_STOP(c) ((c) == '"' || (c) == '<' || (c) == '(' || (c) == ',')
#define ANGLE(c) ((c) == '>')
#define COMMENT_STOP(c) ((c) == '(' || (c) == ')' || (c) == '\\')
#define COLON(c) ((c) == ':')

#define ROW(in, l) \
	(in(0x00 | l) | in(0x10 | l) << 1 | in(0x20 | l) << 2 | in(0x30 | l) << 3 | \
	in(0x40 | l) << 4 | in(0x50 | l) << 5 | in(0x60 | l) << 6 | in(0x70 | l) << 7)
#define SET(in) {{ROW(in, 0), ROW(in, 1), ROW(in, 2), ROW(in, 3), \
	ROW(in, 4), ROW(in, 5), ROW(in, 6), ROW(in, 7), ROW(in, 8), ROW(in, 9), ROW(in, 10), ROW(in, 11), \
	ROW(in, 12), ROW(in, 13), ROW(in, 14), ROW(in, 15)}}

const struct bp_scan_set bp_set_token = SET(TOKEN);
const struct bp_scan_set bp_set_word = SET(WORD);
const struct bp_scan_set bp_set_host = SET(HOST);
const struct bp_scan_set bp_set_ipv6 = SET(IPV6);
const struct bp_scan_set bp_set_uri = SET(URI);
const struct bp_scan_set bp_set_uri_plain = SET(URI_PLAIN);
const struct bp_scan_set bp_set_uri_param = SET(URI_PARAM);
const struct bp_scan_set bp_set_param = SET(PARAM);
const struct bp_scan_set bp_set_addr_spec = SET(ADDR_SPEC);
const struct bp_scan_set bp_set_display_stop = SET(DISPLAY_STOP);
const struct bp_scan_set bp_set_quoted_stop = SET(QUOTED_STOP);
const struct bp_scan_set bp_set_list_stop = SET(LIST_STOP);
const struct bp_scan_set bp_set_angle = SET(ANGLE);
const struct bp_scan_set bp_set_comment_stop = SET(COMMENT_STOP);
const struct bp_scan_set bp_set_colon = SET(COLON);
/* clang-format on */

/* Which bit of a row a high nibble stands for. Bytes over 0x7f get a bit too, but an empty row. */
#define BITS 1, 2, 4, 8, 16, 32, 64, -128, -1, -1, -1, -1, -1, -1, -1, -1

/* bp_set_uri is found in fewer steps: what is not in it are " < > and DEL, told apart by their low nibbles, and all up
 * to the space and over 0x7f, which as signed numbers are below '!'. */
#define URI_OTHERS -1, -1, '"', -1, -1, -1, -1, -1, -1, -1, -1, -1, '<', -1, '>', 0x7f

#define REPEAT4(...) {__VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__}
#define FIFTEENS 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15
#define MARKS '!', '!', '!', '!', '!', '!', '!', '!', '!', '!', '!', '!', '!', '!', '!', '!'

const struct bp_vector_constants bp_vector_constants = {
	REPEAT4(BITS), REPEAT4(FIFTEENS), REPEAT4(URI_OTHERS), REPEAT4(MARKS)};

const struct bp_variant *const bp_variants[] = {
#if defined(__x86_64__)
	&bp_variant_avx512,
	&bp_variant_avx2,
	&bp_variant_sse42,
#endif
	&bp_variant_plain,
	NULL,
};

const struct bp_variant *bp_variant = &bp_variant_plain;

__attribute__((constructor)) static void
choose(void)
{
	const struct bp_variant *const *variant = bp_variants;

#if defined(__x86_64__)
	__builtin_cpu_init();
#endif
	while (!(*variant)->supported())
		variant++;
	bp_variant = *variant;
}

enum bp_sip_fault
bp_sip_parse(
	struct bp_sip_message *m, const uint8_t *bytes, uint32_t size, const struct bp_sip_limits *limits)
{
	return bp_variant->parse(m, bytes, size, limits);
}

enum bp_sip_fault
bp_sip_parse_shaped(struct bp_sip_shapes *shapes, struct bp_sip_message *m, const uint8_t *bytes, uint32_t size,
	const struct bp_sip_limits *limits)
{
	return bp_variant->parse_shaped(shapes, m, bytes, size, limits);
}

bool
bp_sip_walk_next(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_walk *walk)
{
	return bp_variant->walk_next(m, id, walk);
}

bool
bp_sip_first_uri(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_uri *uri)
{
	return bp_variant->first_uri(m, id, uri);
}

bool
bp_sip_first_address(
	const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_address *address)
{
	return bp_variant->first_address(m, id, address);
}

bool
bp_sip_via_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_via *via)
{
	return bp_variant->via_cut(bytes, value, via);
}

bool
bp_sip_line_via(const struct bp_sip_message *m, const struct bp_sip_header *header, struct bp_sip_via *via)
{
	return bp_variant->line_via(m, header, via);
}

bool
bp_sip_uri_cut(const uint8_t *bytes, struct bp_span span, struct bp_sip_uri *uri)
{
	return bp_variant->uri_cut(bytes, span, uri);
}

bool
bp_sip_address_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_address *address)
{
	return bp_variant->address_cut(bytes, value, address);
}

bool
bp_sip_param(const uint8_t *bytes, struct bp_span params, const char *name, struct bp_span *value)
{
	return bp_variant->param(bytes, params, name, value);
}
