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

NOINLINE bool
walk_any_uri(const struct bp_sip_message *m, enum bp_sip_header_id id, size_t limit, struct bp_sip_walk *walk,
	struct bp_sip_address *address, struct bp_sip_uri *uri)
{
	if (!walk_list(m, id, limit, walk))
		return false;
	if (!cut_address(m->bytes, walk->element, limit, address) ||
		(uri && !cut_uri(m->bytes, address->uri, limit, false, uri))) {
		clear(address, sizeof(*address));
		if (uri)
			clear(uri, sizeof(*uri));
	}
	return true;
}

#if VECTOR

/* The URI of a list's element that is not plain. */
NOINLINE bool
cut_element_uri(const uint8_t *p, size_t limit, struct bp_sip_address *address, struct bp_sip_uri *uri)
{
	begin_uri(uri, address->uri);
	if (!cut_any_uri(p, address->uri, limit, uri)) {
		clear(address, sizeof(*address));
		clear(uri, sizeof(*uri));
	}
	return true;
}

/* The short way: what is left of the line begins with "<sip:...>", and nothing but a comma is behind it. */
INLINE bool
walk_plain_uri(const struct bp_sip_message *m, enum bp_sip_header_id id, size_t limit, struct bp_sip_walk *walk,
	struct bp_sip_address *address, struct bp_sip_uri *uri)
{
	const struct bp_sip_header *header = walk->header;
	size_t at = walk->next, next, end, stop;
	const uint8_t *p = m->bytes;

	if (at == 0) {
		next = !walk->started ? m->first[id] : header ? header->next : 0;
		if (next == 0)
			return walk_any_uri(m, id, limit, walk, address, uri);
		header = &m->headers[next - 1];
		at = header->value.offset;
	}
	end = span_end(header->value);
	/* behind the value comes white space, or the message ends */
	if (unlikely(end >= limit || end < at + 7 || p[at] != '<' || !is_sip_colon(p + at + 1)))
		return walk_any_uri(m, id, limit, walk, address, uri);
	stop = skip_uri_in_line(p, at + 5, limit);
	if (unlikely(p[stop] != '>' || (stop + 1 != end && p[stop + 1] != ',')))
		return walk_any_uri(m, id, limit, walk, address, uri);
	clear(address, sizeof(*address));
	address->uri = make_span(at + 1, stop);
	walk->first_of_line = walk->next == 0;
	walk->last_of_line = stop + 1 == end;
	walk->next = likely(stop + 1 == end) ? 0 : (uint16_t)skip_lws(p, stop + 2, end);
	walk->element = make_span(at, stop + 1);
	walk->index = walk->started ? walk->index + 1 : 0;
	walk->header = header;
	walk->started = true;
	if (uri == NULL)
		return true;
	clear(uri, sizeof(*uri));
	return likely(cut_plain_uri(p, at + 1, stop, limit, true, uri)) ? true :
									  cut_element_uri(p, limit, address, uri);
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
