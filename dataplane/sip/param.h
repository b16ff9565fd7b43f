/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parameters: ";name=value;name", one after the other, with white space and folds
 * around the separators and quoted values (RFC 3261 25.1: generic-param). Private to variant.c.
 */
#ifndef BYEPASS_SIP_PARAM_H
#define BYEPASS_SIP_PARAM_H

#include "sip/header_name.h"
#include "sip/vector.h"

struct param {
	struct bp_span name;
	struct bp_span value; /* size 0: none */
};

enum param_result { PARAM, PARAM_END, PARAM_BAD };

INLINE struct bp_span
make_span(uint32_t begin, uint32_t end)
{
	return (struct bp_span){.offset = (uint16_t)begin, .size = (uint16_t)(end - begin)};
}

INLINE uint32_t
span_end(struct bp_span span)
{
	return (uint32_t)span.offset + span.size;
}

INLINE bool
letters_are(const uint8_t *p, const char *token, unsigned size)
{
	if (size >= 4) {
		uint32_t a, b, c, d;

		memcpy(&a, p, 4);
		memcpy(&b, p + size - 4, 4);
		memcpy(&c, token, 4);
		memcpy(&d, token + size - 4, 4);
		return (((a | 0x20202020) ^ c) | ((b | 0x20202020) ^ d)) == 0;
	} else {
		uint16_t a, b, c, d;

		memcpy(&a, p, 2);
		memcpy(&b, p + size - 2, 2);
		memcpy(&c, token, 2);
		memcpy(&d, token + size - 2, 2);
		return (((a | 0x2020) ^ c) | ((b | 0x2020) ^ d)) == 0;
	}
}

/* Whether the name is @token, a constant of letters in lower case, 2 to 8 of them. */
#define PARAM_IS(p, span, token)                                                                              \
	((span).size == sizeof(token) - 1 && letters_are((p) + (span).offset, token, sizeof(token) - 1))

/* enum bp_transport of a token, BP_TRANSPORT_COUNT: another. */
INLINE uint8_t
transport_of(const uint8_t *p, struct bp_span token)
{
	if (token.size != 3)
		return BP_TRANSPORT_COUNT;
	if (letters_are(p + token.offset, "udp", 3))
		return BP_TRANSPORT_UDP;
	if (letters_are(p + token.offset, "tcp", 3))
		return BP_TRANSPORT_TCP;
	return letters_are(p + token.offset, "tls", 3) ? BP_TRANSPORT_TLS : BP_TRANSPORT_COUNT;
}

/* A parameter that must have a value, and stands once. */
INLINE bool
take_value(struct bp_span *field, struct bp_span value)
{
	if (field->size || value.size == 0)
		return false;
	*field = value;
	return true;
}

/* The next parameter. *@at: where the last one ended; moved on to behind this one, or to the comma or the end
 * at which the list stops (PARAM_END). The cursor is begun at *@at with bp_set_param. */
INLINE enum param_result
param_next(struct cursor *c, uint32_t *at, uint32_t limit, struct param *param)
{
	const uint8_t *p = c->p;
	uint32_t begin = skip_lws(p, *at, c->end), stop, end;

	*at = begin;
	if (begin >= c->end || p[begin] == ',')
		return PARAM_END;
	if (p[begin] != ';')
		return PARAM_BAD;
	begin = skip_lws(p, begin + 1, c->end);
	stop = cursor_stop(c, begin);
	if (stop == begin)
		return PARAM_BAD;
	param->name = make_span(begin, stop);
	param->value = (struct bp_span){0, 0};
	end = stop;
	stop = skip_lws(p, stop, c->end);
	if (stop >= c->end || p[stop] != '=') {
		*at = end;
		return PARAM;
	}
	begin = skip_lws(p, stop + 1, c->end);
	if (begin < c->end && p[begin] == '"') {
		stop = skip_quoted(p, begin, c->end, limit);
		if (stop == 0)
			return PARAM_BAD;
	} else {
		/* '=' inside of a value is not in the grammar, but common, and harms nobody */
		stop = cursor_stop(c, begin);
		while (stop > begin && stop < c->end && p[stop] == '=')
			stop = cursor_stop(c, stop + 1);
		if (stop == begin)
			return PARAM_BAD;
	}
	param->value = make_span(begin, stop);
	*at = stop;
	return PARAM;
}

/* The number that eight bytes make, each from 0 to 9, the highest digit in the lowest byte. Neighbours are put
 * together three times. */
INLINE uint32_t
eight_digits(uint64_t x)
{
	x = (x * (10 * 0x100 + 1)) >> 8 & 0x00ff00ff00ff00ff;
	x = (x * (100 * 0x10000 + 1)) >> 16 & 0x0000ffff0000ffff;
	return (uint32_t)(x * (10000 * 0x100000000 + 1) >> 32);
}

/* Up to seven digits at @at: their number, or 0 when there are none or more, and the number they make.
 * @limit: bytes that may be read, at least 8. */
INLINE unsigned
few_digits(const uint8_t *p, uint32_t at, uint32_t limit, uint32_t *number)
{
	uint32_t base = at + 8 <= limit ? at : limit - 8;
	/* behind the limit come zeros, which are no digits */
	uint64_t x = (bp_load8(p + base) >> (8 * (at - base) & 63)) ^ 0x3030303030303030;
	uint64_t others = ((x + 0x7676767676767676) | x) & 0x8080808080808080;
	unsigned bits = others ? (unsigned)__builtin_ctzll(others) & ~7u : 0;

	if (bits == 0)
		return 0;
	/* the digits into the upper bytes, zeros before them */
	*number = eight_digits(x << (64 - bits));
	return bits / 8;
}

#endif
