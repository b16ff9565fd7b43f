/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walks the elements of comma-separated headers over all their lines, and looks up
 * parameters by name. RFC 3261 7.3.1.
 */
#include "sip/message.h"
#include "sip/param.h"
#include "sip/scan.h"

/* A comment begins where white space or nothing stands before its parenthesis; elsewhere it is a character of
 * a token or URI. The position behind it, the end when it never closes. */
static uint32_t
skip_comment(const uint8_t *p, uint32_t at, uint32_t end)
{
	unsigned depth = 1;

	for (at++; at < end; at++) {
		at = bp_scan_find(p, at, end, &bp_set_comment_stop);
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
static uint32_t
find_comma(const uint8_t *p, uint32_t begin, uint32_t end)
{
	uint32_t at = begin;

	while (at < end) {
		at = bp_scan_find(p, at, end, &bp_set_list_stop);
		if (at >= end || p[at] == ',')
			break;
		if (p[at] == '"') {
			at = bp_scan_quoted(p, at, end);
			if (at == 0)
				return end;
		} else if (p[at] == '<') {
			at = bp_scan_find(p, at, end, &bp_set_angle);
		} else if (at == begin || bp_is_lws(p[at - 1])) {
			at = skip_comment(p, at, end);
		} else {
			at++;
		}
	}
	return at < end ? at : end;
}

bool
bp_sip_walk_next(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_walk *walk)
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
	end = (uint32_t)walk->header->value.offset + walk->header->value.size;
	stop = find_comma(p, at, end);
	walk->element = bp_span_make(at, bp_trim_lws(p, at, stop));
	walk->last_of_line = stop >= end;
	walk->next = walk->last_of_line ? 0 : (uint16_t)bp_skip_lws(p, stop + 1, end);
	walk->index = begun ? walk->index + 1 : 0;
	return true;
}

bool
bp_span_is(const uint8_t *bytes, struct bp_span span, const char *token)
{
	for (uint32_t i = 0; i < span.size; i++) {
		uint8_t a = bytes[span.offset + i], b = (uint8_t)token[i];

		if (a >= 'A' && a <= 'Z')
			a |= 0x20;
		if (b >= 'A' && b <= 'Z')
			b |= 0x20;
		if (b == 0 || a != b)
			return false;
	}
	return token[span.size] == 0;
}

bool
bp_sip_param(const uint8_t *bytes, struct bp_span params, const char *name, struct bp_span *value)
{
	uint32_t at = params.offset;
	struct bp_param param;
	struct bp_cursor cursor;

	*value = (struct bp_span){0, 0};
	bp_cursor_begin(&cursor, bytes, at, at + params.size, &bp_set_param);
	while (bp_param_next(&cursor, &at, &param) == BP_PARAM) {
		if (bp_span_is(bytes, param.name, name)) {
			*value = param.value;
			return true;
		}
	}
	return false;
}
