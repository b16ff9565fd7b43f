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
make_span(size_t begin, size_t end)
{
	return (struct bp_span){.offset = (uint16_t)begin, .size = (uint16_t)(end - begin)};
}

INLINE size_t
span_end(struct bp_span span)
{
	return (size_t)span.offset + span.size;
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
param_next(struct cursor *c, size_t *at, size_t limit, struct param *param)
{
	const uint8_t *p = c->p;
	size_t begin = skip_lws(p, *at, c->end), stop, end;

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

#if VECTOR

/* The number that the @count digits before @end make: 1 to 8 of them. False: they are not all digits. Eight bytes
 * before @end may be read. */
INLINE bool
read_digits(const uint8_t *p, size_t end, size_t count, uint32_t *number)
{
	/* the digits in the upper bytes, zeros before them */
	__m128i above = _mm_cvtsi32_si128((int)(64 - 8 * count));
	__m128i x = _mm_xor_si128(_mm_loadu_si64(p + end - 8), _mm_set_epi64x(0, 0x3030303030303030)), over;

	x = _mm_sll_epi64(_mm_srl_epi64(x, above), above);
	over = _mm_subs_epu8(x, _mm_set1_epi8(9));
	if (unlikely(!_mm_testz_si128(over, over)))
		return false;
	/* neighbours are put together three times */
	x = _mm_maddubs_epi16(x, _mm_setr_epi8(10, 1, 10, 1, 10, 1, 10, 1, 0, 0, 0, 0, 0, 0, 0, 0));
	x = _mm_madd_epi16(x, _mm_setr_epi16(100, 1, 100, 1, 0, 0, 0, 0));
	x = _mm_madd_epi16(_mm_packus_epi32(x, x), _mm_setr_epi16(10000, 1, 0, 0, 0, 0, 0, 0));
	*number = (uint32_t)_mm_cvtsi128_si32(x);
	return true;
}

/* A port: all that stands in [begin, end). 0: it is none. */
INLINE uint16_t
read_port(const uint8_t *p, size_t begin, size_t end)
{
	uint32_t number;

	/* nearly always */
	memcpy(&number, p + end - 4, 4);
	if (likely(end - begin == 4 && number == 0x30363035)) /* "0605" */
		return 5060;
	if (unlikely(end - begin - 1 >= 5 || !read_digits(p, end, end - begin, &number) || number > UINT16_MAX))
		return 0;
	return (uint16_t)number;
}

#endif

#endif
