/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walks the elements of comma-separated headers over all their lines, and looks up
 * parameters by name. RFC 3261 7.3.1. Private to variant.c.
 */
#ifndef BYEPASS_SIP_CUT_LIST_H
#define BYEPASS_SIP_CUT_LIST_H

#include "sip/cut_address.h"

/* A comment begins where white space or nothing stands before its parenthesis; elsewhere it is a character of
 * a token or URI. The position behind it, the end when it never closes. */
static size_t
skip_comment(const uint8_t *p, size_t at, size_t end, size_t limit)
{
	unsigned depth = 1;

	for (at++; at < end; at++) {
		at = find(p, at, end, limit, &bp_set_comment_stop);
		if (at >= end)
			break;
		if (p[at] == '\\')
			at++;
		else if (p[at] == '(')
			depth++;
		else if (--depth == 0)
			return at + 1;
	}
	return end;
}

/* The comma that ends the element at @begin, or the end of the line. */
INLINE size_t
find_comma(const uint8_t *p, size_t begin, size_t end, size_t limit)
{
	size_t at = begin;

	while (at < end) {
		/* most elements begin with it */
		if (p[at] != '<') {
			at = find(p, at, end, limit, &bp_set_list_stop);
			if (at >= end || p[at] == ',')
				break;
		}
		if (p[at] == '<') {
			at = find_byte(p, at, end, limit, '>');
		} else if (p[at] == '"') {
			at = skip_quoted(p, at, end, limit);
			if (at == 0)
				return end;
		} else if (at == begin || is_lws(p[at - 1])) {
			at = skip_comment(p, at, end, limit);
		} else {
			at++;
		}
	}
	return at < end ? at : end;
}

INLINE bool
walk_list(const struct bp_sip_message *m, enum bp_sip_header_id id, size_t limit, struct bp_sip_walk *walk)
{
	const uint8_t *p = m->bytes;
	size_t at = walk->next, end, stop;
	bool begun = walk->started;

	walk->first_of_line = false;
	if (at == 0) {
		/* a line without elements is none (Supported: and others may be empty) */
		do {
			walk->header = walk->started ? (walk->header ? bp_sip_next(m, walk->header) : NULL)
						     : bp_sip_first(m, id);
			walk->started = true;
			if (walk->header == NULL)
				return false;
		} while (walk->header->value.size == 0);
		at = walk->header->value.offset;
		walk->first_of_line = true;
	}
	end = span_end(walk->header->value);
	stop = find_comma(p, at, end, limit);
	walk->element = make_span(at, trim_lws(p, at, stop));
	walk->last_of_line = stop >= end;
	walk->next = walk->last_of_line ? 0 : (uint16_t)skip_lws(p, stop + 1, end);
	walk->index = begun ? walk->index + 1 : 0;
	return true;
}

/* The first element of a list of addresses, cut open. False: there is none, or it is malformed; then all is zero. */
NOINLINE bool
first_any_address(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_address *address)
{
	struct bp_sip_walk walk = {.started = false};

	if (walk_list(m, id, m->size, &walk) && cut_address(m->bytes, walk.element, m->size, address))
		return true;
	clear(address, sizeof(*address));
	return false;
}

/* Its URI. */
NOINLINE bool
first_any_uri(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_uri *uri)
{
	struct bp_sip_address address;

	if (first_any_address(m, id, &address) && cut_uri(m->bytes, address.uri, m->size, uri))
		return true;
	clear(uri, sizeof(*uri));
	return false;
}

#if VECTOR

/* Whether the value begins with "<sip:" and goes the short way: behind it there is white space and, for what is read
 * at once, some more. */
INLINE bool
is_plain_element(const struct bp_sip_message *m, size_t at, size_t end)
{
	return likely(end + 8 <= m->size) &&
	       likely((bp_load8(m->bytes + at) & 0xffdfdfdfff) == (bp_load8("<SIP:\0\0") & 0xffffffffff));
}

/* The short ways: nothing but a comma is behind the '>'. */
INLINE bool
first_uri_of(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_uri *uri)
{
	const struct bp_sip_header *header;
	const uint8_t *p = m->bytes;
	size_t at, end, stop;

	if (m->first[id] == 0)
		return first_any_uri(m, id, uri);
	header = &m->headers[m->first[id] - 1];
	at = header->value.offset;
	end = at + header->value.size;
	if (unlikely(!is_plain_element(m, at, end)))
		return first_any_uri(m, id, uri);
	clear(uri, sizeof(*uri));
	stop = cut_plain_uri(p, at + 1, 0, m->size, '>', uri) + 1;
	if (unlikely(stop == 1 || (stop != end && p[stop] != ',')))
		return first_any_uri(m, id, uri);
	return true;
}

INLINE bool
first_address_of(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_address *address)
{
	const struct bp_sip_header *header;
	const uint8_t *p = m->bytes;
	size_t at, end, stop;

	if (m->first[id] == 0)
		return first_any_address(m, id, address);
	header = &m->headers[m->first[id] - 1];
	at = header->value.offset;
	end = at + header->value.size;
	if (unlikely(!is_plain_element(m, at, end)))
		return first_any_address(m, id, address);
	clear(address, sizeof(*address));
	stop = skip_uri_in_line(p, at + 5, m->size);
	if (unlikely(p[stop] != '>' || stop == at + 5 || (stop + 1 != end && p[stop + 1] != ',')))
		return first_any_address(m, id, address);
	address->uri = make_span(at + 1, stop);
	return true;
}

#endif

static bool
find_param(const uint8_t *p, struct bp_span params, size_t limit, const char *name, struct bp_span *value)
{
	size_t at = params.offset;
	struct param param;
	struct cursor cursor;

	*value = (struct bp_span){0, 0};
	cursor_begin(&cursor, p, at, at + params.size, limit, &bp_set_param);
	while (param_next(&cursor, &at, limit, &param) == PARAM) {
		if (bp_span_is(p, param.name, name)) {
			*value = param.value;
			return true;
		}
	}
	return false;
}

#endif
