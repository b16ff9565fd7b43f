/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cuts a URI open. "sip:user@host:port;params" without escapes, passwords and headers goes
 * the short way; any other is cut with one pass over its separators. RFC 3261 19.1, 25.1; RFC 3966 (tel);
 * RFC 5118 (IPv6 references, tolerantly). Private to variant.c.
 */
#ifndef BYEPASS_SIP_CUT_URI_H
#define BYEPASS_SIP_CUT_URI_H

#include "sip/param.h"

/* Where the separators of a SIP URI are; 0: there is none. */
struct marks {
	size_t host;     /* begin of the host */
	size_t at;       /* '@' */
	size_t password; /* ':' in the user part */
	uint32_t port;     /* ':' behind the host */
	size_t params;   /* first ';' behind the host */
	size_t headers;  /* '?' behind the host */
};

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* One pass over what is not plain. False: a character that no URI has, a bad escape, two '@'. */
static bool
find_marks(const uint8_t *p, size_t begin, size_t end, size_t limit, struct marks *marks)
{
	struct cursor cursor;
	size_t colon = 0; /* the first one, wherever it is */

	*marks = (struct marks){.host = begin};
	cursor_begin(&cursor, p, begin, end, limit, &bp_set_uri_plain);
	for (size_t at = cursor_stop(&cursor, begin); at < end; at = cursor_stop(&cursor, at + 1)) {
		switch (p[at]) {
		case '@':
			if (marks->at || at == begin || colon == begin || p[begin] == '[')
				return false;
			*marks = (struct marks){.host = at + 1, .at = at, .password = colon};
			break;
		case ':':
			if (colon == 0)
				colon = at;
			if (!marks->port && !marks->params && !marks->headers)
				marks->port = at;
			break;
		case ';':
			if (!marks->params && !marks->headers)
				marks->params = at;
			break;
		case '?':
			if (!marks->headers)
				marks->headers = at;
			break;
		case '%':
			if (end - at < 3 || !is_hex(p[at + 1]) || !is_hex(p[at + 2]))
				return false;
			break;
		case '[':
			/* the colons of an IPv6 reference separate nothing */
			if (at == marks->host) {
				at = skip(p, at + 1, end, limit, &bp_set_ipv6);
				if (at >= end || p[at] != ']' || at == marks->host + 1)
					return false;
			}
			break;
		default:
			return false;
		}
	}
	return true;
}

/* host [ ":" port ] in [begin, end). */
static bool
cut_host(const uint8_t *p, size_t begin, size_t end, size_t limit, size_t colon, struct bp_sip_uri *uri)
{
	size_t host_end = colon ? colon : end, port = 0;

	if (host_end == begin)
		return false;
	/* the inside of a reference was looked at by find_marks(); nothing may stand behind its bracket */
	if (p[begin] == '[') {
		if (p[host_end - 1] != ']' ||
			skip(p, begin + 1, host_end, limit, &bp_set_ipv6) != host_end - 1)
			return false;
	} else if (skip(p, begin, host_end, limit, &bp_set_host) != host_end) {
		return false;
	}
	uri->host = make_span(begin, host_end);
	if (colon == 0)
		return true;
	for (size_t at = colon + 1; at < end; at++) {
		if (p[at] < '0' || p[at] > '9' || port > UINT16_MAX)
			return false;
		port = port * 10 + (uint32_t)(p[at] - '0');
	}
	uri->port = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

/* What a proxy looks at. False: it stood before. */
INLINE bool
take_uri_param(const uint8_t *p, const struct param *param, struct bp_sip_uri *uri, bool *transport)
{
	switch (param->name.size) {
	case 2:
		if (PARAM_IS(p, param->name, "lr")) {
			if (uri->loose)
				return false;
			uri->loose = true;
		}
		return true;
	case 5:
		return !PARAM_IS(p, param->name, "maddr") || take_value(&uri->maddr, param->value);
	case 9:
		if (letters_are(p + param->name.offset, "transpor", 8) &&
			(p[param->name.offset + 8] | 0x20) == 't') {
			if (*transport)
				return false;
			*transport = true;
			uri->transport = transport_of(p, param->value);
		}
		return true;
	default:
		return true;
	}
}

/* ";name=value;name": no white space, no quotes. A parameter stands once (19.1.1); one of the three that
 * count here and stands twice makes the URI malformed. */
static bool
cut_uri_params(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_sip_uri *uri)
{
	struct cursor cursor;
	struct param param;
	bool transport = false;

	cursor_begin(&cursor, p, at, end, limit, &bp_set_param);
	while (at < end) {
		size_t begin = at + 1, stop = cursor_stop(&cursor, begin);

		if (stop == begin)
			return false;
		param.name = make_span(begin, stop);
		param.value = (struct bp_span){0, 0};
		if (stop < end && p[stop] != ';') {
			begin = stop + 1;
			while (stop < end && p[stop] != ';')
				stop = cursor_stop(&cursor, stop + 1);
			param.value = make_span(begin, stop);
		}
		if (!take_uri_param(p, &param, uri, &transport))
			return false;
		at = stop;
	}
	return true;
}

static bool
cut_any_sip(const uint8_t *p, size_t begin, size_t end, size_t limit, struct bp_sip_uri *uri)
{
	struct marks marks;
	size_t host_end, params_end;

	if (!find_marks(p, begin, end, limit, &marks))
		return false;
	params_end = marks.headers ? marks.headers : end;
	host_end = marks.params ? marks.params : params_end;
	if (marks.at)
		uri->user = make_span(begin, marks.password ? marks.password : marks.at);
	if (!cut_host(p, marks.host, host_end, limit, marks.port, uri))
		return false;
	if (marks.headers)
		uri->headers = make_span(marks.headers + 1, end);
	if (marks.params == 0)
		return true;
	uri->params = make_span(marks.params, params_end);
	return cut_uri_params(p, marks.params, params_end, limit, uri);
}

static bool
cut_tel(const uint8_t *p, size_t begin, size_t end, size_t limit, struct bp_sip_uri *uri)
{
	size_t at = begin;

	while (at < end && p[at] != ';')
		at++;
	if (at == begin || skip(p, begin, end, limit, &bp_set_uri) != end)
		return false;
	uri->user = make_span(begin, at);
	if (at == end)
		return true;
	uri->params = make_span(at, end);
	return cut_uri_params(p, at, end, limit, uri);
}

/* scheme ":" of any URI (RFC 3986 3.1). The position behind the colon, 0: malformed. */
static uint32_t
scheme_end(const uint8_t *p, size_t begin, size_t end)
{
	for (size_t at = begin; at < end; at++) {
		uint8_t c = p[at];

		if (c == ':')
			return at > begin ? at + 1 : 0;
		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			continue;
		if (at == begin || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))
			return 0;
	}
	return 0;
}

INLINE void
begin_uri(struct bp_sip_uri *uri, struct bp_span span)
{
	memset(uri, 0, sizeof(*uri));
	uri->transport = BP_TRANSPORT_COUNT;
	uri->whole = span;
}

/* Any URI. @uri is begun. */
NOINLINE bool
cut_any_uri(const uint8_t *p, struct bp_span span, size_t limit, struct bp_sip_uri *uri)
{
	size_t begin = span.offset, end = begin + span.size, rest;
	uint64_t word = bp_load_upto8(p + begin, span.size < 5 ? span.size : 5, span.size);

	if (bp_word_is(word & 0xffffffff, bp_load8("sip:\0\0\0"))) {
		uri->scheme = BP_URI_SIP;
		return cut_any_sip(p, begin + 4, end, limit, uri);
	}
	if (bp_word_is(word, bp_load8("sips:\0\0"))) {
		uri->scheme = BP_URI_SIPS;
		return cut_any_sip(p, begin + 5, end, limit, uri);
	}
	if (bp_word_is(word & 0xffffffff, bp_load8("tel:\0\0\0"))) {
		uri->scheme = BP_URI_TEL;
		return cut_tel(p, begin + 4, end, limit, uri);
	}
	rest = scheme_end(p, begin, end);
	return rest && rest < end && skip(p, rest, end, limit, &bp_set_uri) == end;
}

#if VECTOR

INLINE bool
is_sip_colon(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, 4);
	return (word | 0x00202020) == 0x3a706973; /* ":pis": x86 is little-endian */
}

/* What stands at @at, or @behind where that is behind the end. */
#define BYTE(at) (in_line || (at) < end ? p[at] : behind)

/* Parameters from the ';' at @at to @behind, of plain characters only. As below. */
NOINLINE size_t
cut_plain_params(const uint8_t *p, size_t at, size_t end, size_t limit, uint8_t behind, struct bp_sip_uri *uri)
{
	const bool in_line = behind != 0;
	bool transport = false;

	if (in_line)
		end = limit;
	do {
		size_t stop = skip(p, at + 1, end, limit, &bp_set_uri_param);
		struct param param = {.name = make_span(at + 1, stop)};

		if (unlikely(stop == at + 1))
			return 0;
		if (BYTE(stop) == '=') {
			at = stop + 1;
			stop = skip(p, at, end, limit, &bp_set_uri_param);
			param.value = make_span(at, stop);
		}
		if (unlikely(!take_uri_param(p, &param, uri, &transport)))
			return 0;
		at = stop;
	} while (BYTE(at) == ';');
	return BYTE(at) == behind ? at : 0;
}

/* The next stop before @end, or @end. @in_line: there is one. */
INLINE size_t
next_stop(struct stops *stops, const uint8_t *p, size_t end, size_t limit, bool in_line,
	const struct bp_scan_set *set)
{
	size_t at;

	if (in_line)
		return stops_next(stops, p, limit, set);
	while (unlikely(stops->mask == 0)) {
		if (stops->base + STEP >= end)
			return end;
		stops_begin(stops, p, stops->base + STEP, limit, set);
	}
	at = stops_next(stops, p, limit, set);
	return at < end ? at : end;
}

/* A sip URI written as nearly all are: [user "@"] host [":" port] [";" params]. That it begins with "sip:" is known.
 * @behind: ' ' or '>', and that is where it ends, in a line with three bytes more at the least; 0: it ends at @end.
 * @uri is all zero. Returns the end. 0: it is not plain; what was found so far does not count. */
INLINE size_t
cut_plain_uri(const uint8_t *p, size_t begin, size_t end, size_t limit, uint8_t behind, struct bp_sip_uri *uri)
{
	const bool in_line = behind != 0;
	size_t at = begin + 4, stop, colon;
	struct stops stops;
	uint8_t byte;

	uri->scheme = BP_URI_SIP;
	uri->transport = BP_TRANSPORT_COUNT;
#define NEXT() next_stop(&stops, p, end, limit, in_line, &bp_set_host)
	stops_begin(&stops, p, at, limit, &bp_set_host);
	stop = NEXT();
	byte = BYTE(stop);
	if (byte != ':' && byte != ';' && byte != behind) {
		/* a user, of what else is plain too */
		while (byte != '@') {
			if (unlikely(byte == behind || !bp_set_has(&bp_set_uri_plain, byte)))
				return 0;
			stop = NEXT();
			byte = BYTE(stop);
		}
		if (unlikely(stop == at))
			return 0;
		uri->user = make_span(at, stop);
		at = stop + 1;
		stop = NEXT();
		byte = BYTE(stop);
	}
	if (unlikely(stop == at))
		return 0;
	uri->host = make_span(at, stop);
	if (byte == ':') {
		colon = stop;
		stop = NEXT();
		byte = BYTE(stop);
		if (unlikely(!in_line && stop < 8)) /* read_digits() wants eight bytes before */
			return 0;
		uri->port = read_port(p, colon + 1, stop);
		if (unlikely(uri->port == 0))
			return 0;
	}
#undef NEXT
	if (byte == ';') {
		at = stop;
		if (in_line && letters_are(p + at + 1, "lr", 2) && p[at + 3] == behind) {
			uri->loose = true;
			stop = at + 3;
		} else {
			stop = cut_plain_params(p, at, end, limit, behind, uri);
			if (unlikely(stop == 0))
				return 0;
		}
		uri->params = make_span(at, stop);
	} else if (unlikely(byte != behind)) {
		return 0;
	}
	uri->whole = make_span(begin, stop);
	return in_line || stop == end ? stop : 0;
}
#undef BYTE

#endif

INLINE bool
cut_uri(const uint8_t *p, struct bp_span span, size_t limit, struct bp_sip_uri *uri)
{
#if VECTOR
	clear(uri, sizeof(*uri));
	if (likely(span.size > 4 && is_sip_colon(p + span.offset)) &&
		likely(cut_plain_uri(p, span.offset, span_end(span), limit, 0, uri)))
		return true;
#endif
	begin_uri(uri, span);
	return cut_any_uri(p, span, limit, uri);
}

#endif
