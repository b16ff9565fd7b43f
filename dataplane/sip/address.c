/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cuts a name-addr or addr-spec open, with its header parameters: From, To, Contact,
 * Route, Refer-To. RFC 3261 20.10, 25.1. Of the URI only scheme and characters are looked at.
 */
#include "sip/header_name.h"
#include "sip/param.h"
#include "sip/uri.h"

/* "scheme:" and something behind it. */
static bool
has_scheme(const uint8_t *p, struct bp_span uri)
{
	uint32_t begin = uri.offset, end = begin + uri.size, rest;

	if (uri.size > 4 && bp_word_is(bp_load_upto8(p + begin, 4, uri.size), bp_load8("sip:\0\0\0")))
		return true;
	rest = bp_uri_scheme_end(p, begin, end);
	return rest && rest < end;
}

/* "<uri>" at @at. The position behind the '>', 0: malformed. */
static uint32_t
cut_angle(const uint8_t *p, uint32_t at, uint32_t end, struct bp_sip_address *address)
{
	uint32_t stop;

	if (at >= end || p[at] != '<')
		return 0;
	stop = bp_scan_skip(p, at + 1, end, &bp_set_uri);
	if (stop >= end || p[stop] != '>')
		return 0;
	address->uri = bp_span_make(at + 1, stop);
	return stop + 1;
}

/* All up to the parameters: [display] "<" URI ">", or a URI alone. The position behind it, 0: malformed. */
static uint32_t
cut_name(const uint8_t *p, uint32_t at, uint32_t end, struct bp_sip_address *address)
{
	uint32_t stop;

	if (at >= end)
		return 0;
	if (p[at] == '<')
		return cut_angle(p, at, end, address);
	if (p[at] == '"') {
		stop = bp_scan_quoted(p, at, end);
		if (stop == 0)
			return 0;
		address->display = bp_span_make(at, stop);
		return cut_angle(p, bp_skip_lws(p, stop, end), end, address);
	}
	stop = bp_scan_find(p, at, end, &bp_set_display_stop);
	if (stop < end && p[stop] == '<') {
		address->display = bp_span_make(at, bp_trim_lws(p, at, stop));
		return cut_angle(p, stop, end, address);
	}
	/* comma, semicolon and question mark only inside of <> (20.10) */
	stop = bp_scan_skip(p, at, end, &bp_set_addr_spec);
	address->uri = bp_span_make(at, stop);
	return stop;
}

bool
bp_sip_address_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_address *address)
{
	uint32_t at = bp_skip_lws(bytes, value.offset, (uint32_t)value.offset + value.size);
	uint32_t end = bp_trim_lws(bytes, at, (uint32_t)value.offset + value.size);
	struct bp_param param;
	struct bp_cursor cursor;

	memset(address, 0, sizeof(*address));
	at = cut_name(bytes, at, end, address);
	if (at == 0 || !has_scheme(bytes, address->uri))
		return false;
	if (at == end)
		return true;
	bp_cursor_begin(&cursor, bytes, at, end, &bp_set_param);
	address->params.offset = (uint16_t)bp_skip_lws(bytes, at, end);
	for (;;) {
		enum bp_param_result result = bp_param_next(&cursor, &at, &param);

		if (result == BP_PARAM_END)
			break;
		if (result == BP_PARAM_BAD)
			return false;
		if (param.name.size == 3 && (bytes[param.name.offset] | 0x20) == 't' &&
			BP_PARAM_IS(bytes, param.name, "tag")) {
			if (address->tag.size || param.value.size == 0)
				return false;
			address->tag = param.value;
		}
	}
	address->params.size = (uint16_t)(at - address->params.offset);
	return at == end;
}
