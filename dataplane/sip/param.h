/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parameters: ";name=value;name", one after the other, with white space and folds
 * around the separators and quoted values (RFC 3261 25.1: generic-param). Private to the room.
 */
#ifndef BYEPASS_SIP_PARAM_H
#define BYEPASS_SIP_PARAM_H

#include "sip/message.h"
#include "sip/scan.h"

struct bp_param {
	struct bp_span name;
	struct bp_span value; /* size 0: none */
};

enum bp_param_result { BP_PARAM, BP_PARAM_END, BP_PARAM_BAD };

static inline struct bp_span
bp_span_make(uint32_t begin, uint32_t end)
{
	return (struct bp_span){.offset = (uint16_t)begin, .size = (uint16_t)(end - begin)};
}

/* Whether the name is @token, a constant of letters in lower case, 2 to 8 of them. */
#define BP_PARAM_IS(bytes, span, token)                                                                      \
	((span).size == sizeof(token) - 1 &&                                                                 \
		bp_letters_are((bytes) + (span).offset, token, sizeof(token) - 1))

static inline __attribute__((always_inline)) bool
bp_letters_are(const uint8_t *p, const char *token, unsigned size)
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

/* enum bp_transport of a token, BP_TRANSPORT_COUNT: another. */
static inline uint8_t
bp_transport_of(const uint8_t *p, struct bp_span token)
{
	if (token.size != 3)
		return BP_TRANSPORT_COUNT;
	if (bp_letters_are(p + token.offset, "udp", 3))
		return BP_TRANSPORT_UDP;
	if (bp_letters_are(p + token.offset, "tcp", 3))
		return BP_TRANSPORT_TCP;
	return bp_letters_are(p + token.offset, "tls", 3) ? BP_TRANSPORT_TLS : BP_TRANSPORT_COUNT;
}

/* scheme ":" of any URI (RFC 3986 3.1). The position behind the colon, 0: malformed. */
uint32_t bp_uri_scheme_end(const uint8_t *p, uint32_t begin, uint32_t end);

/* The next parameter. *@at: where the last one ended; moved on to behind this one, or to the comma or the end
 * at which the list stops (BP_PARAM_END). The cursor is begun at *@at with bp_set_param. */
static inline __attribute__((always_inline)) enum bp_param_result
bp_param_next(struct bp_cursor *c, uint32_t *at, struct bp_param *param)
{
	const uint8_t *p = c->bytes;
	uint32_t begin = bp_skip_lws(p, *at, c->end), stop, end;

	*at = begin;
	if (begin >= c->end || p[begin] == ',')
		return BP_PARAM_END;
	if (p[begin] != ';')
		return BP_PARAM_BAD;
	begin = bp_skip_lws(p, begin + 1, c->end);
	stop = bp_cursor_stop(c, begin);
	if (stop == begin)
		return BP_PARAM_BAD;
	param->name = bp_span_make(begin, stop);
	param->value = (struct bp_span){0, 0};
	end = stop;
	stop = bp_skip_lws(p, stop, c->end);
	if (stop >= c->end || p[stop] != '=') {
		*at = end;
		return BP_PARAM;
	}
	begin = bp_skip_lws(p, stop + 1, c->end);
	if (begin < c->end && p[begin] == '"') {
		stop = bp_scan_quoted(p, begin, c->end);
		if (stop == 0)
			return BP_PARAM_BAD;
	} else {
		/* '=' inside of a value is not in the grammar, but common, and harms nobody */
		stop = bp_cursor_stop(c, begin);
		while (stop > begin && stop < c->end && p[stop] == '=')
			stop = bp_cursor_stop(c, stop + 1);
		if (stop == begin)
			return BP_PARAM_BAD;
	}
	param->value = bp_span_make(begin, stop);
	*at = stop;
	return BP_PARAM;
}

#endif
