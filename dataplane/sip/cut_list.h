/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walks the elements of comma-separated headers over all their lines, and looks up
 * parameters by name. RFC 3261 7.3.1. Private to variant.c.
 */
#ifndef BYEPASS_SIP_CUT_LIST_H
#define BYEPASS_SIP_CUT_LIST_H

#include "sip/param.h"

/* A comment begins where white space or nothing stands before its parenthesis; elsewhere it is a character of
 * a token or URI. The position behind it, the end when it never closes. */
static uint32_t
skip_comment(const uint8_t *p, uint32_t at, uint32_t end, uint32_t limit)
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
INLINE uint32_t
find_comma(const uint8_t *p, uint32_t begin, uint32_t end, uint32_t limit)
{
	uint32_t at = begin;

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
walk_list(const struct bp_sip_message *m, enum bp_sip_header_id id, uint32_t limit, struct bp_sip_walk *walk)
{
	const uint8_t *p = m->bytes;
	uint32_t at = walk->next, end, stop;
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

static bool
find_param(const uint8_t *p, struct bp_span params, uint32_t limit, const char *name, struct bp_span *value)
{
	uint32_t at = params.offset;
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
