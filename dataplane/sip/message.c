/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The parser: start line, lines, names; then the headers without which nothing
 * can be proxied, each looked up by its id, so that their order costs nothing.
 * Neighbours: scan.c finds the line ends, header_name.c knows the names, via.c, uri.c and
 * address.c cut values open. RFC 3261 7, 8.1.1, 16.3, 18.3, 20.
 */
#include "sip/message.h"
#include "sip/header_name.h"
#include "sip/scan.h"
#include "sip/uri.h"

#include <stddef.h>

static void
fault(struct bp_sip_message *m, enum bp_sip_fault kind, uint32_t offset)
{
	if (m->fault)
		return;
	m->fault = (uint8_t)kind;
	m->fault_offset = (uint16_t)offset;
}

static inline struct bp_span
span(uint32_t begin, uint32_t end)
{
	return (struct bp_span){.offset = (uint16_t)begin, .size = (uint16_t)(end - begin)};
}

/* "SIP/2.0 200 OK": the status code has three digits, the reason may be empty (7.2). */
static void
parse_status_line(struct bp_sip_message *m, uint32_t end)
{
	const uint8_t *p = m->bytes;
	unsigned status = 0;
	uint32_t at = 8;

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
		m->reason = span(at + 1, end);
}

/* Whether this is the start line of a message of another version: SIP/d.d at its end. */
static bool
is_other_version(const uint8_t *p, uint32_t size)
{
	uint32_t digits = 0, dots = 0;

	if (size < 7 || !bp_word_is(bp_load_upto8(p, 4, size), bp_load8("sip/\0\0\0")))
		return false;
	for (uint32_t i = 4; i < size; i++) {
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
parse_request_line(struct bp_sip_message *m, uint32_t end, const struct bp_sip_limits *limits)
{
	const uint8_t *p = m->bytes;
	uint32_t method = bp_scan_find(p, 0, end, &bp_set_space);
	uint32_t uri = method + 1, uri_end = end;

	m->method_text = span(0, method);
	m->method = bp_method_id(p, method, end);
	if (m->method == BP_METHOD_OTHER &&
		(method == 0 || bp_scan_skip(p, 0, method, &bp_set_token) != method)) {
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
	m->uri = span(uri, uri_end);
	if (end - uri_end != 8 || !bp_word_is(bp_load8(p + uri_end), bp_load8(" sip/2.0"))) {
		fault(m,
			is_other_version(p + uri_end + 1, end - uri_end - 1) ? BP_SIP_FAULT_VERSION
									     : BP_SIP_FAULT_START_LINE,
			uri_end);
		return;
	}
	if (limits && m->uri.size > limits->uri)
		fault(m, BP_SIP_FAULT_TOO_LONG_URI, uri);
	else if (!bp_sip_uri_cut(p, m->uri, &m->target) || m->target.headers.offset)
		fault(m, BP_SIP_FAULT_REQUEST_URI, uri); /* no headers in a Request-URI: 19.1.1 table 1 */
}

static void
parse_start_line(struct bp_sip_message *m, uint32_t end, const struct bp_sip_limits *limits)
{
	if (end >= 4 && bp_word_is(bp_load_upto8(m->bytes, 4, m->size), bp_load8("sip/\0\0\0")))
		parse_status_line(m, end);
	else
		parse_request_line(m, end, limits);
}

/* What the walk over the lines keeps. */
struct line_walk {
	struct bp_sip_message *m;
	uint32_t count; /* of headers[] */
	uint32_t limit;
	uint8_t last[BP_SIP_HEADER_ID_COUNT]; /* index of the last line of each id */
};

/* A line that is not a known header written plainly: white space before the colon, another header, or none at
 * all. Its id, BP_SIP_HEADER_ID_COUNT when it is malformed; *@name_end moved to where the name ends. */
static __attribute__((noinline)) uint8_t
odd_name(const uint8_t *p, uint32_t at, uint32_t end, uint32_t size, uint32_t *name_end)
{
	uint32_t colon = *name_end;

	if (colon >= end)
		return BP_SIP_HEADER_ID_COUNT;
	while (*name_end > at && (p[*name_end - 1] == ' ' || p[*name_end - 1] == '\t'))
		--*name_end;
	if (*name_end == at || bp_scan_skip(p, at, *name_end, &bp_set_token) != *name_end)
		return BP_SIP_HEADER_ID_COUNT;
	return bp_header_id(p + at, *name_end - at, size - at);
}

/* One header line with all its folds: [at, next), content until @end. @p, @size: the message; given once more
 * because the compiler cannot know that what is written here does not change them. */
static inline __attribute__((always_inline)) void
parse_header(
	struct line_walk *walk, const uint8_t *p, uint32_t size, uint32_t at, uint32_t end, uint32_t next)
{
	struct bp_sip_message *m = walk->m;
	struct bp_sip_header *header = &m->headers[walk->count];
	uint32_t colon = bp_scan_colon(p, at, end, size), name_end = colon, value = colon + 1,
		 value_end = end;
	uint8_t id = bp_header_id(p + at, colon - at, size - at);

	if (__builtin_expect(id == BP_SIP_OTHER || colon >= end, 0)) {
		id = odd_name(p, at, end, size, &name_end);
		if (id == BP_SIP_HEADER_ID_COUNT) {
			fault(m, BP_SIP_FAULT_HEADER_LINE, at);
			return;
		}
	}
	/* nearly always one space, and none at the end */
	value += value < end && p[value] == ' ';
	if (__builtin_expect(value < end && p[value] <= ' ', 0))
		value = bp_skip_lws(p, value, end);
	if (__builtin_expect(value < end && p[value_end - 1] <= ' ', 0))
		value_end = bp_trim_lws(p, value, value_end);
	header->line = span(at, next);
	header->name = span(at, name_end);
	header->value = span(value, value_end);
	header->id = id;
	header->next = 0;
	if (__builtin_expect(m->first[id] != 0, 0))
		m->headers[walk->last[id]].next = (uint8_t)walk->count;
	else
		m->first[id] = (uint8_t)(walk->count + 1);
	walk->last[id] = (uint8_t)walk->count++;
}

/* As many lines as one scan found, from the @i-th on. Returns where the line begins that is not over yet;
 * *@blank: the blank line. */
static inline uint32_t
parse_found(
	struct line_walk *walk, const struct bp_scan_lines *lines, uint32_t i, uint32_t begin, bool *blank)
{
	struct bp_sip_message *m = walk->m;
	const uint8_t *p = m->bytes;
	uint32_t size = m->size, count = lines->count, body = lines->body;

	for (; i < count; i++) {
		uint32_t next = lines->ends[i];

		if (next == body) {
			*blank = true;
			break;
		}
		/* a fold: the next line goes on with this one (7.3.1) */
		if (next < size && __builtin_expect(p[next] <= ' ', 0) && (p[next] == ' ' || p[next] == '\t'))
			continue;
		if (__builtin_expect(walk->count >= walk->limit, 0)) {
			fault(m, BP_SIP_FAULT_TOO_MANY_HEADERS, begin);
			if (walk->count >= BP_SIP_HEADERS_MAX - 1) {
				begin = next;
				continue;
			}
		}
		parse_header(walk, p, size, begin, next - 2, next);
		begin = next;
	}
	return begin;
}

/* Over the lines of the message. Sets headers_offset, body_offset and headers[]. */
static void
parse_lines(struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	struct line_walk walk = {.m = m, .limit = BP_SIP_HEADERS_MAX - 1};
	struct bp_scan_lines lines;
	uint32_t begin = 0, first;
	bool blank = false;

	if (limits && limits->headers < walk.limit)
		walk.limit = limits->headers;
	bp_scan_lines_begin(&lines);
	do {
		bp_scan->lines(m->bytes, m->size, &lines);
		first = 0;
		if (begin == 0 && lines.count) {
			begin = lines.ends[0];
			m->headers_offset = (uint16_t)begin;
			parse_start_line(m, begin - 2, limits);
			first = 1;
		}
		begin = parse_found(&walk, &lines, first, begin, &blank);
	} while (__builtin_expect(lines.body == 0 && lines.at < m->size, 0));

	if (__builtin_expect(lines.stray != 0, 0))
		fault(m, BP_SIP_FAULT_HEADER_LINE, lines.stray - 1);
	m->body_offset = (uint16_t)lines.body;
	if (__builtin_expect(!blank, 0)) {
		/* No blank line. What there is of a last line is kept, for the answer. */
		fault(m, m->headers_offset ? BP_SIP_FAULT_NO_END : BP_SIP_FAULT_START_LINE, begin);
		if (m->headers_offset == 0)
			m->headers_offset = m->size;
		else if (begin < m->size && walk.count < BP_SIP_HEADERS_MAX - 1)
			parse_header(&walk, m->bytes, m->size, begin, m->size, m->size);
		m->body_offset = m->size;
	}
	m->header_count = (uint8_t)walk.count;
}

/* Header @id, which must be there once: NULL and a fault otherwise. With several, the first is returned. */
static const struct bp_sip_header *
single(struct bp_sip_message *m, enum bp_sip_header_id id, enum bp_sip_fault absent)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);

	if (header == NULL) {
		if (absent)
			fault(m, absent, m->headers_offset);
		return NULL;
	}
	if (header->next)
		fault(m, BP_SIP_FAULT_REPEATED_HEADER, m->headers[header->next].line.offset);
	return header;
}

static void
check_via(struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_VIA);
	struct bp_sip_walk walk = {.started = false};
	uint32_t count = 0;

	if (header == NULL) {
		fault(m, BP_SIP_FAULT_NO_VIA, m->headers_offset);
		return;
	}
	if (!bp_sip_via_cut(m->bytes, header->value, &m->via))
		fault(m, BP_SIP_FAULT_BAD_VIA, header->value.offset);
	if (limits == NULL || (m->via.last && header->next == 0))
		return;
	while (count <= limits->vias && bp_sip_walk_next(m, BP_SIP_VIA, &walk))
		count++;
	if (count > limits->vias)
		fault(m, BP_SIP_FAULT_TOO_MANY_VIAS, walk.element.offset);
}

static void
check_party(struct bp_sip_message *m, enum bp_sip_header_id id, enum bp_sip_fault absent,
	enum bp_sip_fault bad, struct bp_span *tag)
{
	const struct bp_sip_header *header = single(m, id, absent);
	struct bp_sip_address address;

	if (header == NULL)
		return;
	if (!bp_sip_address_cut(m->bytes, header->value, &address))
		fault(m, bad, header->value.offset);
	else
		*tag = address.tag;
}

/* Digits from @at; *@end is behind them. More than @max, or none: false. */
static bool
parse_number(const uint8_t *p, uint32_t at, uint32_t limit, uint64_t max, uint64_t *value, uint32_t *end)
{
	uint64_t v = 0;
	uint32_t begin = at;

	for (; at < limit && p[at] >= '0' && p[at] <= '9'; at++) {
		v = v * 10 + (uint64_t)(p[at] - '0');
		if (v > max)
			return false;
	}
	*value = v;
	*end = at;
	return at > begin;
}

static void
check_cseq(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_CSEQ, BP_SIP_FAULT_NO_CSEQ);
	const uint8_t *p = m->bytes;
	uint32_t at, token, end;
	uint64_t number;
	uint8_t method;

	if (header == NULL)
		return;
	end = (uint32_t)header->value.offset + header->value.size;
	if (!parse_number(p, header->value.offset, end, UINT32_MAX, &number, &at)) {
		fault(m, BP_SIP_FAULT_BAD_CSEQ, header->value.offset);
		return;
	}
	token = bp_skip_lws(p, at, end);
	method = bp_method_id(p + token, end - token, m->size - token);
	if (token == at || token == end ||
		(method == BP_METHOD_OTHER && bp_scan_skip(p, token, end, &bp_set_token) != end)) {
		fault(m, BP_SIP_FAULT_BAD_CSEQ, header->value.offset);
		return;
	}
	m->cseq = (uint32_t)number;
	m->cseq_method = span(token, end);
	if (m->status) {
		m->method = method;
	} else if (m->method_text.size &&
		   (m->cseq_method.size != m->method_text.size || method != m->method ||
			   (method == BP_METHOD_OTHER && memcmp(p + token, p, m->method_text.size) != 0))) {
		fault(m, m->method == BP_METHOD_OTHER ? BP_SIP_FAULT_METHOD : BP_SIP_FAULT_CSEQ_METHOD,
			token);
	}
}

static void
check_call_id(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_CALL_ID, BP_SIP_FAULT_NO_CALL_ID);
	uint32_t end;

	if (header == NULL)
		return;
	end = (uint32_t)header->value.offset + header->value.size;
	if (header->value.size == 0 || bp_scan_skip(m->bytes, header->value.offset, end, &bp_set_word) != end)
		fault(m, BP_SIP_FAULT_BAD_CALL_ID, header->value.offset);
	else
		m->call_id = header->value;
}

static void
check_max_forwards(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_MAX_FORWARDS, BP_SIP_FAULT_NONE);
	uint32_t end, limit;
	uint64_t value;

	if (header == NULL)
		return;
	limit = (uint32_t)header->value.offset + header->value.size;
	if (!parse_number(m->bytes, header->value.offset, limit, 255, &value, &end) || end != limit)
		fault(m, BP_SIP_FAULT_BAD_MAX_FORWARDS, header->value.offset);
	else
		m->max_forwards = (int16_t)value;
}

/* What is behind the body is not part of the message; a body that is not all there is an error (18.3). */
static void
check_body(struct bp_sip_message *m)
{
	const struct bp_sip_header *header = single(m, BP_SIP_CONTENT_LENGTH, BP_SIP_FAULT_NONE);
	uint32_t room = (uint32_t)m->size - m->body_offset, end, limit;
	uint64_t value;

	if (header) {
		limit = (uint32_t)header->value.offset + header->value.size;
		if (!parse_number(m->bytes, header->value.offset, limit, UINT32_MAX, &value, &end) ||
			end != limit)
			fault(m, BP_SIP_FAULT_BAD_CONTENT_LENGTH, header->value.offset);
		else if (value > room)
			fault(m, BP_SIP_FAULT_BODY_TRUNCATED, header->value.offset);
		else
			room = (uint32_t)value;
	}
	m->size = (uint16_t)(m->body_offset + room);
	if (room)
		m->body = span(m->body_offset, m->size);
}

enum bp_sip_fault
bp_sip_parse(
	struct bp_sip_message *m, const uint8_t *bytes, uint32_t size, const struct bp_sip_limits *limits)
{
	uint32_t skip = 0;

	/* headers[] is large and need not be cleared: header_count and first[] say what there is */
	memset(m, 0, offsetof(struct bp_sip_message, headers));
	m->max_forwards = -1;
	m->via.transport = BP_TRANSPORT_COUNT;
	if (size > BP_SIP_MESSAGE_SIZE_MAX)
		size = BP_SIP_MESSAGE_SIZE_MAX;
	while (skip < size && (bytes[skip] == '\r' || bytes[skip] == '\n'))
		skip++;
	m->bytes = bytes + skip;
	m->size = (uint16_t)(size - skip);
	if (m->size == 0) {
		fault(m, BP_SIP_FAULT_EMPTY, 0);
		return m->fault;
	}
	parse_lines(m, limits);
	check_via(m, limits);
	check_party(m, BP_SIP_FROM, BP_SIP_FAULT_NO_FROM, BP_SIP_FAULT_BAD_FROM, &m->from_tag);
	check_party(m, BP_SIP_TO, BP_SIP_FAULT_NO_TO, BP_SIP_FAULT_BAD_TO, &m->to_tag);
	check_call_id(m);
	check_cseq(m);
	check_max_forwards(m);
	check_body(m);
	return m->fault;
}

bool
bp_sip_answerable(const struct bp_sip_message *m)
{
	return m->status == 0 && m->first[BP_SIP_VIA] && m->first[BP_SIP_FROM] && m->first[BP_SIP_TO] &&
	       m->first[BP_SIP_CALL_ID] && m->first[BP_SIP_CSEQ];
}

const struct bp_sip_header *
bp_sip_find(const struct bp_sip_message *m, const char *name)
{
	uint32_t size = (uint32_t)strlen(name);
	uint8_t id = bp_header_id((const uint8_t *)name, size, size + 1);

	if (id != BP_SIP_OTHER)
		return bp_sip_first(m, id);
	for (const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_OTHER); header;
		header = bp_sip_next(m, header)) {
		if (bp_span_is(m->bytes, header->name, name))
			return header;
	}
	return NULL;
}
