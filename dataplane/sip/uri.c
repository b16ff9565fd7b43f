/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cuts a URI open: one scan over its separators, then the parameters that a proxy
 * looks at. RFC 3261 19.1, 25.1; RFC 3966 (tel); RFC 5118 (IPv6 references, tolerantly).
 */
#include "sip/uri.h"
#include "sip/header_name.h"
#include "sip/param.h"

/* Where the separators of a SIP URI are; 0: there is none. */
struct marks {
	uint32_t host;     /* begin of the host */
	uint32_t at;       /* '@' */
	uint32_t password; /* ':' in the user part */
	uint32_t port;     /* ':' behind the host */
	uint32_t params;   /* first ';' behind the host */
	uint32_t headers;  /* '?' behind the host */
};

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* One pass over what is not plain. False: a character that no URI has, a bad escape, two '@'. */
static bool
find_marks(const uint8_t *p, uint32_t begin, uint32_t end, struct marks *marks)
{
	struct bp_cursor cursor;
	uint32_t colon = 0; /* the first one, wherever it is */

	*marks = (struct marks){.host = begin};
	bp_cursor_begin(&cursor, p, begin, end, &bp_set_uri_plain);
	for (uint32_t at = bp_cursor_stop(&cursor, begin); at < end; at = bp_cursor_stop(&cursor, at + 1)) {
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
				at = bp_scan_skip(p, at + 1, end, &bp_set_ipv6);
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
cut_host(const uint8_t *p, uint32_t begin, uint32_t end, uint32_t colon, struct bp_sip_uri *uri)
{
	uint32_t host_end = colon ? colon : end, port = 0;

	if (host_end == begin)
		return false;
	/* the inside of a reference was looked at by find_marks(); nothing may stand behind its bracket */
	if (p[begin] == '[') {
		if (p[host_end - 1] != ']' ||
			bp_scan_skip(p, begin + 1, host_end, &bp_set_ipv6) != host_end - 1)
			return false;
	} else if (bp_scan_skip(p, begin, host_end, &bp_set_host) != host_end) {
		return false;
	}
	uri->host = bp_span_make(begin, host_end);
	if (colon == 0)
		return true;
	for (uint32_t at = colon + 1; at < end; at++) {
		if (p[at] < '0' || p[at] > '9' || port > UINT16_MAX)
			return false;
		port = port * 10 + (uint32_t)(p[at] - '0');
	}
	uri->port = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

static bool
is_transport(const uint8_t *p, struct bp_span name)
{
	return name.size == 9 && bp_letters_are(p + name.offset, "transpor", 8) &&
	       (p[name.offset + 8] | 0x20) == 't';
}

/* What a proxy looks at. False: it stood before. */
static bool
take_param(const uint8_t *p, const struct bp_param *param, struct bp_sip_uri *uri, bool *transport)
{
	if (BP_PARAM_IS(p, param->name, "lr")) {
		if (uri->loose)
			return false;
		uri->loose = true;
	} else if (BP_PARAM_IS(p, param->name, "maddr")) {
		if (uri->maddr.size || param->value.size == 0)
			return false;
		uri->maddr = param->value;
	} else if (is_transport(p, param->name)) {
		if (*transport)
			return false;
		*transport = true;
		uri->transport = bp_transport_of(p, param->value);
	}
	return true;
}

/* ";name=value;name": no white space, no quotes. A parameter stands once (19.1.1); one of the three that
 * count here and stands twice makes the URI malformed. */
static bool
cut_params(const uint8_t *p, uint32_t at, uint32_t end, struct bp_sip_uri *uri)
{
	struct bp_cursor cursor;
	struct bp_param param;
	bool transport = false;

	bp_cursor_begin(&cursor, p, at, end, &bp_set_param);
	while (at < end) {
		uint32_t begin = at + 1, stop = bp_cursor_stop(&cursor, begin);

		if (stop == begin)
			return false;
		param.name = bp_span_make(begin, stop);
		param.value = (struct bp_span){0, 0};
		if (stop < end && p[stop] != ';') {
			begin = stop + 1;
			while (stop < end && p[stop] != ';')
				stop = bp_cursor_stop(&cursor, stop + 1);
			param.value = bp_span_make(begin, stop);
		}
		if (!take_param(p, &param, uri, &transport))
			return false;
		at = stop;
	}
	return true;
}

static bool
cut_sip(const uint8_t *p, uint32_t begin, uint32_t end, struct bp_sip_uri *uri)
{
	struct marks marks;
	uint32_t host_end, params_end;

	if (!find_marks(p, begin, end, &marks))
		return false;
	params_end = marks.headers ? marks.headers : end;
	host_end = marks.params ? marks.params : params_end;
	if (marks.at)
		uri->user = bp_span_make(begin, marks.password ? marks.password : marks.at);
	if (!cut_host(p, marks.host, host_end, marks.port, uri))
		return false;
	if (marks.headers)
		uri->headers = bp_span_make(marks.headers + 1, end);
	if (marks.params == 0)
		return true;
	uri->params = bp_span_make(marks.params, params_end);
	return cut_params(p, marks.params, params_end, uri);
}

static bool
cut_tel(const uint8_t *p, uint32_t begin, uint32_t end, struct bp_sip_uri *uri)
{
	uint32_t at = begin;

	while (at < end && p[at] != ';')
		at++;
	if (at == begin || bp_scan_skip(p, begin, end, &bp_set_uri) != end)
		return false;
	uri->user = bp_span_make(begin, at);
	if (at == end)
		return true;
	uri->params = bp_span_make(at, end);
	return cut_params(p, at, end, uri);
}

uint32_t
bp_uri_scheme_end(const uint8_t *p, uint32_t begin, uint32_t end)
{
	for (uint32_t at = begin; at < end; at++) {
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

bool
bp_sip_uri_cut(const uint8_t *bytes, struct bp_span span, struct bp_sip_uri *uri)
{
	uint32_t begin = span.offset, end = begin + span.size, rest;
	uint64_t word;

	memset(uri, 0, sizeof(*uri));
	uri->transport = BP_TRANSPORT_COUNT;
	uri->whole = span;
	word = bp_load_upto8(bytes + begin, span.size < 5 ? span.size : 5, span.size);
	if (bp_word_is(word & 0xffffffff, bp_load8("sip:\0\0\0"))) {
		uri->scheme = BP_URI_SIP;
		return cut_sip(bytes, begin + 4, end, uri);
	}
	if (bp_word_is(word, bp_load8("sips:\0\0"))) {
		uri->scheme = BP_URI_SIPS;
		return cut_sip(bytes, begin + 5, end, uri);
	}
	if (bp_word_is(word & 0xffffffff, bp_load8("tel:\0\0\0"))) {
		uri->scheme = BP_URI_TEL;
		return cut_tel(bytes, begin + 4, end, uri);
	}
	rest = bp_uri_scheme_end(bytes, begin, end);
	return rest && rest < end && bp_scan_skip(bytes, rest, end, &bp_set_uri) == end;
}
