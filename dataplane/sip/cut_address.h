/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cuts a name-addr or addr-spec open, with its header parameters: From, To, Contact,
 * Route, Refer-To. RFC 3261 20.10, 25.1. Of the URI only scheme and characters are looked at. Private to
 * variant.c.
 */
#ifndef BYEPASS_SIP_CUT_ADDRESS_H
#define BYEPASS_SIP_CUT_ADDRESS_H

#include "sip/cut_uri.h"

/* "scheme:" and something behind it. */
INLINE bool
has_scheme(const uint8_t *p, struct bp_span uri)
{
	size_t begin = uri.offset, end = begin + uri.size, rest;

	if (likely(uri.size > 4) && bp_word_is(bp_load_upto8(p + begin, 4, uri.size), bp_load8("sip:\0\0\0")))
		return true;
	rest = scheme_end(p, begin, end);
	return rest && rest < end;
}

/* "<uri>" at @at. The position behind the '>', 0: malformed. */
INLINE size_t
cut_angle(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_sip_address *address)
{
	size_t stop;

	if (unlikely(at >= end || p[at] != '<'))
		return 0;
	stop = skip(p, at + 1, end, limit, &bp_set_uri);
	if (unlikely(stop >= end || p[stop] != '>'))
		return 0;
	address->uri = make_span(at + 1, stop);
	return stop + 1;
}

/* All up to the parameters: [display] "<" URI ">", or a URI alone. The position behind it, 0: malformed. */
INLINE size_t
cut_name(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_sip_address *address)
{
	size_t stop;

	if (unlikely(at >= end))
		return 0;
	if (p[at] != '<') {
		if (p[at] == '"') {
			stop = skip_quoted(p, at, end, limit);
			if (stop == 0)
				return 0;
			address->display = make_span(at, stop);
			at = skip_lws(p, stop, end);
		} else {
			stop = find(p, at, end, limit, &bp_set_display_stop);
			if (stop >= end || p[stop] != '<') {
				/* comma, semicolon and question mark only inside of <> (20.10) */
				stop = skip(p, at, end, limit, &bp_set_addr_spec);
				address->uri = make_span(at, stop);
				return stop;
			}
			address->display = make_span(at, trim_lws(p, at, stop));
			at = stop;
		}
	}
	return cut_angle(p, at, end, limit, address);
}

/* Any parameters, from the end of the name on. False: malformed. */
NOINLINE bool
cut_any_params(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_sip_address *address)
{
	struct param param;
	struct cursor cursor;

	cursor_begin(&cursor, p, at, end, limit, &bp_set_param);
	address->params.offset = (uint16_t)skip_lws(p, at, end);
	for (;;) {
		enum param_result result = param_next(&cursor, &at, limit, &param);

		if (result == PARAM_END)
			break;
		if (result == PARAM_BAD)
			return false;
		if (param.name.size == 3 && (p[param.name.offset] | 0x20) == 't' &&
			PARAM_IS(p, param.name, "tag")) {
			if (address->tag.size || param.value.size == 0)
				return false;
			address->tag = param.value;
		}
	}
	address->params.size = (uint16_t)(at - address->params.offset);
	return at == end;
}

#if VECTOR

/* Nothing but ";tag=value". False: there is something else. */
INLINE bool
cut_tag(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_sip_address *address)
{
	uint32_t word;

	if (unlikely(end - at < 6))
		return false;
	memcpy(&word, p + at, 4);
	if (unlikely((word | 0x20202000) != 0x6761743b || p[at + 4] != '=')) /* "gat;" */
		return false;
	if (unlikely(skip(p, at + 5, end, limit, &bp_set_param) != end))
		return false;
	address->params = make_span(at, end);
	address->tag = make_span(at + 5, end);
	return true;
}

#endif

INLINE bool
cut_address(const uint8_t *p, struct bp_span value, size_t limit, struct bp_sip_address *address)
{
	size_t at = skip_lws(p, value.offset, span_end(value));
	size_t end = trim_lws(p, at, span_end(value));

	memset(address, 0, sizeof(*address));
	at = cut_name(p, at, end, limit, address);
	if (unlikely(at == 0 || !has_scheme(p, address->uri)))
		return false;
	if (at == end)
		return true;
#if VECTOR
	if (likely(cut_tag(p, at, end, limit, address)))
		return true;
#endif
	return cut_any_params(p, at, end, limit, address);
}

#endif
