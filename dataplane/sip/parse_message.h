/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The parser: start line, lines, names; then the headers without which nothing can be
 * proxied, each looked up by its id, so that their order costs nothing. RFC 3261 7, 8.1.1, 16.3, 18.3, 20.
 * Private to variant.c.
 */
#ifndef BYEPASS_SIP_PARSE_MESSAGE_H
#define BYEPASS_SIP_PARSE_MESSAGE_H

#include "sip/cut_address.h"
#include "sip/cut_list.h"
#include "sip/cut_via.h"
#include "sip/header_lines.h"

/* "SIP/2.0 200 OK": the status code has three digits, the reason may be empty (7.2). */
static void
parse_status_line(struct bp_sip_message *m, size_t end)
{
	const uint8_t *p = m->bytes;
	unsigned status = 0;
	size_t at = 8;

	m->status = BP_SIP_STATUS_BAD;
	if (end < 11 || !bp_word_is(bp_load8(p), bp_load8("sip/2.0 "))) {
		fault(m, BP_SIP_FAULT_VERSION, 4);
		return;
	}
	for (; at < end && p[at] >= '0' && p[at] <= '9' && at < 12; at++)
		status = status * 10 + (unsigned)(p[at] - '0');
	/* the space behind the code is missing where there is no reason: tolerated */
	if (at != 11 || status < 100 || status > 699 || (at < end && p[at] != ' ')) {
		fault(m, BP_SIP_FAULT_STATUS_CODE, 8);
		return;
	}
	m->status = (uint16_t)status;
	if (at < end)
		m->reason = make_span(at + 1, end);
}

/* Whether this is the start line of a message of another version: SIP/d.d at its end. */
static bool
is_other_version(const uint8_t *p, size_t size)
{
	size_t digits = 0, dots = 0;

	if (size < 7 || !bp_word_is(bp_load_upto8(p, 4, size), bp_load8("sip/\0\0\0")))
		return false;
	for (size_t i = 4; i < size; i++) {
		if (p[i] == '.')
			dots++;
		else if (p[i] >= '0' && p[i] <= '9')
			digits++;
		else
			return false;
	}
	return dots == 1 && digits >= 2;
}

/* "INVITE sip:bob@example.com SIP/2.0": single spaces, nothing at the end (7.1). */
static void
parse_request_line(struct bp_sip_message *m, size_t end, const struct bp_sip_limits *limits)
{
	const uint8_t *p = m->bytes;
	size_t method = find_byte(p, 0, end, m->size, ' ');
	size_t uri = method + 1, uri_end = end;

	m->method_text = make_span(0, method);
	m->method = bp_method_id(p, method, end);
	if (m->method == BP_METHOD_OTHER &&
		(method == 0 || skip(p, 0, method, m->size, &bp_set_token) != method)) {
		fault(m, BP_SIP_FAULT_START_LINE, 0);
		m->method_text.size = 0;
		return;
	}
	while (uri_end > uri && p[uri_end - 1] != ' ')
		uri_end--;
	if (uri_end <= uri + 1) {
		fault(m, BP_SIP_FAULT_START_LINE, method);
		return;
	}
	uri_end--;
	m->uri = make_span(uri, uri_end);
	if (end - uri_end != 8 || !bp_word_is(bp_load8(p + uri_end), bp_load8(" sip/2.0"))) {
		fault(m,
			is_other_version(p + uri_end + 1, end - uri_end - 1) ? BP_SIP_FAULT_VERSION
									     : BP_SIP_FAULT_START_LINE,
			uri_end);
		return;
	}
	if (m->uri.size > limits->uri)
		fault(m, BP_SIP_FAULT_TOO_LONG_URI, uri);
	else if (!cut_uri(p, m->uri, m->size, &m->target) || m->target.headers.offset)
		fault(m, BP_SIP_FAULT_REQUEST_URI, uri); /* no headers in a Request-URI: 19.1.1 table 1 */
}

static void
parse_start_line(struct bp_sip_message *m, size_t end, const struct bp_sip_limits *limits)
{
	if (end >= 4 && bp_word_is(bp_load_upto8(m->bytes, 4, m->size), bp_load8("sip/\0\0\0")))
		parse_status_line(m, end);
	else
		parse_request_line(m, end, limits);
}

/* Header @id, which must be there once: NULL and a fault otherwise. With several, the first is returned. */
INLINE const struct bp_sip_header *
single(struct bp_sip_message *m, enum bp_sip_header_id id, enum bp_sip_fault absent)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);

	if (header == NULL) {
		if (absent)
			fault(m, absent, m->headers_offset);
		return NULL;
	}
	if (unlikely(header->next))
		fault(m, BP_SIP_FAULT_REPEATED_HEADER, m->headers[header->next - 1].line.offset);
	return header;
}

NOINLINE void
count_vias(struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	struct bp_sip_walk walk = {.started = false};
	size_t count = 0;

	while (count <= limits->vias && walk_list(m, BP_SIP_VIA, m->size, &walk))
		count++;
	if (count > limits->vias)
		fault(m, BP_SIP_FAULT_TOO_MANY_VIAS, walk.element.offset);
}

INLINE void
check_via(struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_VIA);
	uint32_t lines = 1;
	bool alone;

	if (unlikely(header == NULL)) {
		fault(m, BP_SIP_FAULT_NO_VIA, m->headers_offset);
		return;
	}
	if (unlikely(!cut_via(m->bytes, header->value, m->size, false, &m->via)))
		fault(m, BP_SIP_FAULT_BAD_VIA, header->value.offset);
	alone = m->via.last;
	/* without a comma, there are as many as lines */
	while (alone && header->next) {
		header = &m->headers[header->next - 1];
		alone = find_byte(m->bytes, header->value.offset, span_end(header->value), m->size, ',') ==
			span_end(header->value);
		lines++;
	}
	if (unlikely(!alone || lines > limits->vias))
		count_vias(m, limits);
}

INLINE void
check_party(struct bp_sip_message *m, enum bp_sip_header_id id, enum bp_sip_fault absent,
	enum bp_sip_fault bad, struct bp_span *tag)
{
	const struct bp_sip_header *header = single(m, id, absent);
	struct bp_sip_address address;

	if (unlikely(header == NULL))
		return;
	if (unlikely(!cut_address(m->bytes, header->value, m->size, &address)))
		fault(m, bad, header->value.offset);
	else
		*tag = address.tag;
}

/* Digits from @at; *@end is behind them. More than @max, or none: false. */
static bool
parse_number(const uint8_t *p, size_t at, size_t limit, uint64_t max, uint32_t *value, size_t *end)
{
	uint64_t v = 0;
	size_t begin = at;

	for (; at < limit && p[at] >= '0' && p[at] <= '9'; at++) {
		v = v * 10 + (uint64_t)(p[at] - '0');
		if (v > max)
			return false;
	}
	*value = (uint32_t)v;
	*end = at;
	return at > begin;
}

INLINE void
check_cseq(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_CSEQ, BP_SIP_FAULT_NO_CSEQ);
	const uint8_t *p = m->bytes;
	size_t at, token, end;
	uint32_t number;
	uint8_t method;

	if (unlikely(header == NULL))
		return;
	end = span_end(header->value);
	if (unlikely(!parse_number(p, header->value.offset, end, UINT32_MAX, &number, &at))) {
		fault(m, BP_SIP_FAULT_BAD_CSEQ, header->value.offset);
		return;
	}
	token = skip_lws(p, at, end);
	method = bp_method_id(p + token, end - token, m->size - token);
	if (unlikely(token == at || token == end ||
		     (method == BP_METHOD_OTHER && skip(p, token, end, m->size, &bp_set_token) != end))) {
		fault(m, BP_SIP_FAULT_BAD_CSEQ, header->value.offset);
		return;
	}
	m->cseq = number;
	m->cseq_method = make_span(token, end);
	if (m->status) {
		m->method = method;
	} else if (m->method_text.size &&
		   (m->cseq_method.size != m->method_text.size || method != m->method ||
			   (method == BP_METHOD_OTHER && memcmp(p + token, p, m->method_text.size) != 0))) {
		fault(m, m->method == BP_METHOD_OTHER ? BP_SIP_FAULT_METHOD : BP_SIP_FAULT_CSEQ_METHOD,
			token);
	}
}

INLINE void
check_call_id(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_CALL_ID, BP_SIP_FAULT_NO_CALL_ID);
	size_t end;

	if (unlikely(header == NULL))
		return;
	end = span_end(header->value);
	if (unlikely(header->value.size == 0 ||
		     skip(m->bytes, header->value.offset, end, m->size, &bp_set_word) != end))
		fault(m, BP_SIP_FAULT_BAD_CALL_ID, header->value.offset);
	else
		m->call_id = header->value;
}

INLINE void
check_max_forwards(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_MAX_FORWARDS, BP_SIP_FAULT_NONE);
	size_t end, limit;
	uint32_t value;

	if (header == NULL)
		return;
	limit = span_end(header->value);
	if (unlikely(!parse_number(m->bytes, header->value.offset, limit, 255, &value, &end) ||
		     end != limit))
		fault(m, BP_SIP_FAULT_BAD_MAX_FORWARDS, header->value.offset);
	else
		m->max_forwards = (int16_t)value;
}

/* What is behind the body is not part of the message; a body that is not all there is an error (18.3). */
INLINE void
check_body(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_CONTENT_LENGTH, BP_SIP_FAULT_NONE);
	size_t room = (size_t)m->size - m->body_offset, end, limit;
	uint32_t value;

	if (likely(header != NULL)) {
		limit = span_end(header->value);
		if (unlikely(!parse_number(m->bytes, header->value.offset, limit, UINT32_MAX, &value, &end) ||
			     end != limit))
			fault(m, BP_SIP_FAULT_BAD_CONTENT_LENGTH, header->value.offset);
		else if (unlikely(value > room))
			fault(m, BP_SIP_FAULT_BODY_TRUNCATED, header->value.offset);
		else
			room = value;
	}
	m->size = (uint16_t)(m->body_offset + room);
	if (room)
		m->body = make_span(m->body_offset, m->size);
}

NOINLINE void
check_fields(struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	check_via(m, limits);
	check_party(m, BP_SIP_FROM, BP_SIP_FAULT_NO_FROM, BP_SIP_FAULT_BAD_FROM, &m->from_tag);
	check_party(m, BP_SIP_TO, BP_SIP_FAULT_NO_TO, BP_SIP_FAULT_BAD_TO, &m->to_tag);
	check_call_id(m);
	check_cseq(m);
	check_max_forwards(m);
	check_body(m);
}

#if VECTOR

/* The short way for messages without a fault, written plainly. Each function returns false when there is something
 * else, and whoever called it begins again with the ones above. What was found until then does not count, for it is
 * found again or stays as it is. Lines end with CRLF before @size. */

INLINE bool
plain_status_line(struct bp_sip_message *m, const uint8_t *p, size_t end)
{
	uint32_t code, digits;

	memcpy(&code, p + 8, 4);
	digits = code ^ 0x20303030; /* " 000", the lowest byte first */
	if (unlikely(bp_load8(p) != bp_load8("SIP/2.0 ") || end < 12 || digits >> 24 ||
		     ((digits + 0x00767676) | digits) & 0x00808080))
		return false;
	code = (digits & 0xff) * 100 + (digits >> 8 & 0xff) * 10 + (digits >> 16);
	if (unlikely(code < 100 || code > 699))
		return false;
	m->status = (uint16_t)code;
	m->reason = make_span(12, end);
	return true;
}

INLINE bool
plain_request_line(struct bp_sip_message *m, const uint8_t *p, size_t end, size_t size,
	const struct bp_sip_limits *limits)
{
	uint64_t word = bp_load8(p), x = word ^ 0x2020202020202020;
	uint64_t spaces = (x - 0x0101010101010101) & ~x & 0x8080808080808080;
	const struct bp_name_slot *slot;
	size_t method;

	/* a method of less than 8 letters */
	if (unlikely(spaces == 0))
		return false;
	method = (size_t)__builtin_ctzll(spaces) / 8;
	word &= ((spaces & -spaces) - 0x80) >> 7; /* what is below the space */
	slot = &bp_method_slots[(word + method) * BP_METHOD_FACTOR >> 59];
	if (unlikely(slot->size != method || word != bp_load8(slot->first) || end < method + 1 + 5 + 8 ||
		     bp_load8(p + end - 8) != bp_load8(" SIP/2.0")))
		return false;
	m->method = slot->id;
	m->method_text = make_span(0, method);
	m->uri = make_span(method + 1, end - 8);
	return likely(end - 9 - method <= limits->uri) && likely(is_sip_colon(p + method + 1)) &&
	       likely(cut_plain_uri(p, method + 1, end - 8, size, ' ', &m->target) == end - 8);
}

/* More than one via-parm in a line, or too many lines: false. */
INLINE bool
plain_vias(const struct bp_sip_message *m, const uint8_t *p, size_t size, size_t next, size_t limit)
{
	while (next) {
		const struct bp_sip_header *header = &m->headers[next - 1];
		size_t end = span_end(header->value);

		if (unlikely(--limit == 0 || has_byte(p, header->value.offset, end, size, ',')))
			return false;
		next = header->next;
	}
	return true;
}

/* A name-addr with a sip URI and nothing behind it but a tag. */
INLINE bool
plain_party(const uint8_t *p, struct bp_span value, size_t size, struct bp_span *tag)
{
	size_t at = value.offset, end = at + value.size, stop;
	uint32_t word;

	if (p[at] != '<') {
		if (p[at] == '"') {
			at = find(p, at + 1, end, size, &bp_set_quoted_stop);
			if (unlikely(at >= end || p[at] != '"'))
				return false;
			at++;
			at += p[at] == ' ';
		} else {
			at = find(p, at, end, size, &bp_set_display_stop);
		}
		if (unlikely(at >= end || p[at] != '<'))
			return false;
	}
	if (unlikely(end - at < 7 || !is_sip_colon(p + at + 1)))
		return false;
	stop = skip_uri_in_line(p, at + 5, size);
	if (unlikely(p[stop] != '>' || stop == at + 5))
		return false;
	if (++stop == end)
		return true;
	memcpy(&word, p + stop, 4);
	if (unlikely((word | 0x20202000) != 0x6761743b || p[stop + 4] != '=')) /* "gat;" */
		return false;
	*tag = make_span(stop + 5, end);
	return likely(end > stop + 5) && likely(skip_in_line(p, stop + 5, size, &bp_set_param) == end);
}

/* A whole value that is a number of 1 to 8 digits. */
INLINE bool
plain_number(const uint8_t *p, struct bp_span value, uint32_t *number)
{
	return likely(value.size - 1u < 8) && read_digits(p, span_end(value), value.size, number);
}

INLINE bool
plain_cseq(struct bp_sip_message *m, const uint8_t *p, struct bp_span value, size_t size)
{
	size_t end = span_end(value), token, method = m->method_text.size, digits;

	if (m->status == 0) {
		/* the method of the request, of no more than eight letters: compared with what is before it */
		token = end - method;
		if (unlikely(method - 1 >= 8 || value.size < method + 2 ||
			     (bp_load8(p + end - 8) >> (64 - 8 * method)) !=
				     (bp_load8(p) & UINT64_MAX >> (64 - 8 * method))))
			return false;
	} else {
		token = find_byte(p, value.offset, end, size, ' ') + 1;
		if (unlikely(token >= end))
			return false;
		m->method = bp_method_id(p + token, (uint32_t)(end - token), (uint32_t)(size - token));
		if (unlikely(m->method == BP_METHOD_OTHER))
			return false;
	}
	digits = token - 1 - value.offset;
	m->cseq_method = make_span(token, end);
	return likely(p[token - 1] == ' ') && likely(digits - 1 < 8) && read_digits(p, token - 1, digits, &m->cseq);
}

INLINE bool
plain_fields(struct bp_sip_message *m, const uint8_t *p, size_t size, const struct bp_sip_limits *limits)
{
	/* the first eight: OTHER VIA FROM TO CALL_ID CSEQ MAX_FORWARDS ROUTE */
	uint64_t first = bp_load8(m->first);
	const struct bp_sip_header *headers =
		(const struct bp_sip_header *)((uintptr_t)m->headers - sizeof(*headers)); /* m->first counts from 1 */
	const struct bp_sip_header *via = &headers[m->first[BP_SIP_VIA]], *from = &headers[m->first[BP_SIP_FROM]];
	const struct bp_sip_header *to = &headers[m->first[BP_SIP_TO]];
	const struct bp_sip_header *call_id = &headers[m->first[BP_SIP_CALL_ID]];
	const struct bp_sip_header *cseq = &headers[m->first[BP_SIP_CSEQ]], *other;
	size_t room = size - m->body_offset;
	uint32_t number;

	static_assert(BP_SIP_VIA == 1 && BP_SIP_CSEQ == 5, "what must be there is in bytes 1 to 5");
	if (unlikely((first - 0x0000010101010100) & ~first & 0x0000808080808000))
		return false;
	if (unlikely(from->next | to->next | call_id->next | cseq->next))
		return false;
	if (unlikely(!cut_plain_via(p, via->value, size, true, &m->via) ||
		     !plain_vias(m, p, size, via->next, limits->vias)))
		return false;
	if (unlikely(!plain_party(p, from->value, size, &m->from_tag) ||
		     !plain_party(p, to->value, size, &m->to_tag)))
		return false;
	if (unlikely(call_id->value.size == 0 || skip_in_line(p, call_id->value.offset, size, &bp_set_word) !=
							 span_end(call_id->value)))
		return false;
	m->call_id = call_id->value;
	if (unlikely(!plain_cseq(m, p, cseq->value, size)))
		return false;
	if (m->first[BP_SIP_MAX_FORWARDS]) {
		other = &headers[m->first[BP_SIP_MAX_FORWARDS]];
		if (unlikely(other->next || !plain_number(p, other->value, &number) || number > 255))
			return false;
		m->max_forwards = (int16_t)number;
	}
	if (likely(m->first[BP_SIP_CONTENT_LENGTH])) {
		other = &headers[m->first[BP_SIP_CONTENT_LENGTH]];
		if (unlikely(other->next || !plain_number(p, other->value, &number) || number > room))
			return false;
		room = number;
	}
	m->size = (uint16_t)(m->body_offset + room);
	if (room)
		m->body = make_span(m->body_offset, m->size);
	return true;
}

/* What the short way may have left behind. */
NOINLINE void
start_line_again(struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	m->status = 0;
	m->method = BP_METHOD_OTHER;
	m->method_text = m->uri = m->reason = (struct bp_span){0, 0};
	clear(&m->target, sizeof(m->target));
	parse_start_line(m, m->headers_offset - 2u, limits);
}

NOINLINE void
fields_again(struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	if (m->status)
		m->method = BP_METHOD_OTHER;
	m->cseq = 0;
	m->max_forwards = -1;
	m->call_id = m->from_tag = m->to_tag = m->cseq_method = (struct bp_span){0, 0};
	begin_via(&m->via);
	check_fields(m, limits);
}

#endif

/* @m is cleared, its bytes and size are set: at least LIMIT_MIN. */
INLINE void
parse_message(struct bp_sip_message *m, const uint8_t *p, size_t size, const struct bp_sip_limits *limits)
{
	static const struct bp_sip_limits none = {UINT16_MAX, UINT16_MAX, UINT16_MAX};

	if (limits == NULL)
		limits = &none;
#if VECTOR
	if (likely(plain_lines(m, p, size, limits))) {
		size_t end = m->headers_offset - 2u;

		/* requests seldom begin with an S */
		if (unlikely(!(p[0] == 'S' ? plain_status_line(m, p, end)
					   : plain_request_line(m, p, end, size, limits))))
			start_line_again(m, limits);
		if (unlikely(!plain_fields(m, p, size, limits)))
			fields_again(m, limits);
		return;
	}
#endif
	any_lines(m, limits, parse_start_line);
	m->via.transport = BP_TRANSPORT_COUNT;
	check_fields(m, limits);
}

#endif
