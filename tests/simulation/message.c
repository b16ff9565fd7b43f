/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing and reading messages. See message.h.
 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
text_equal(struct text a, struct text b)
{
	return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

bool
text_is(struct text text, const char *string)
{
	return text.size == strlen(string) && memcmp(text.at, string, text.size) == 0;
}

unsigned
text_number(struct text text)
{
	unsigned number = 0;

	for (unsigned i = 0; i < text.size && text.at[i] >= '0' && text.at[i] <= '9'; i++)
		number = number * 10 + (unsigned)(text.at[i] - '0');
	return number;
}

uint64_t
bytes_hash(const void *bytes, unsigned size, uint64_t seed)
{
	const uint8_t *at = bytes;
	uint64_t hash = seed ^ size, word;

	for (; size > 0; at += sizeof(word)) {
		unsigned part = size < sizeof(word) ? size : (unsigned)sizeof(word);

		word = 0;
		memcpy(&word, at, part);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
		size -= part;
	}
	return hash;
}

uint64_t
text_hash(struct text text)
{
	return bytes_hash(text.at, text.size, 1);
}

/* ---- reading ---- */

/* Inlined, for it is called with constants. */
static inline bool
is_one_of(char c, const char *stop)
{
	for (; *stop != '\0'; stop++)
		if (c == *stop)
			return true;
	return false;
}

static inline struct text
until(struct text text, const char *stop)
{
	unsigned size = 0;

	while (size < text.size && !is_one_of(text.at[size], stop))
		size++;
	return (struct text){text.at, size};
}

static struct text
after(struct text text, unsigned size)
{
	if (size > text.size)
		size = text.size;
	return (struct text){text.at + size, text.size - size};
}

/* What stands behind @mark; empty if that is not there. */
static struct text
behind(struct text text, const char *mark)
{
	const char *at = memmem(text.at, text.size, mark, strlen(mark));

	return at ? after(text, (unsigned)(at - text.at + (long)strlen(mark))) : after(text, text.size);
}

static struct text
tag_of(struct text value)
{
	return until(behind(value, ">;tag="), "; \t");
}

static void
read_via(struct seen *m, struct text line, struct text value)
{
	struct essence *essence = &m->essence;

	if (essence->via_count < 2) {
		m->sent_by[essence->via_count] = until(behind(value, " "), ";");
		m->branch[essence->via_count] = until(behind(value, ";branch="), "; ,");
	}
	for (unsigned i = 0; i < 3 && i <= essence->via_count; i++)
		essence->vias[i] = bytes_hash(line.at, line.size, essence->vias[i]);
	if (essence->via_count < SEEN_VIAS_MAX)
		m->vias[essence->via_count++] = line;
}

static void
read_record_route(struct seen *m, struct text value)
{
	if (m->record_route_count < SEEN_ROUTES_MAX)
		m->record_routes[m->record_route_count++] = value;
}

/* Reads one header line; false: it is no part of the essence. */
static bool
read_header(struct seen *m, struct text line, struct text name, struct text value)
{
	if (text_is(name, "Via")) {
		read_via(m, line, value);
		return false;
	}
	if (text_is(name, "From")) {
		m->from = value;
		m->from_tag = tag_of(value);
	} else if (text_is(name, "To")) {
		m->to = value;
		m->to_tag = tag_of(value);
	} else if (text_is(name, "Call-ID")) {
		m->call_id = value;
	} else if (text_is(name, "CSeq")) {
		m->cseq = text_number(value);
		m->method = behind(value, " ");
	} else if (text_is(name, "Contact")) {
		m->contact = until(behind(value, "<"), ">");
	} else if (text_is(name, "Reason")) {
		m->reason = value;
	} else if (text_is(name, "Session-Expires")) {
		m->session = text_number(value);
		return false;
	} else if (text_is(name, "Min-SE") || text_is(name, "Require")) {
		return false;
	} else if (text_is(name, "Supported")) {
		m->timer = text_is(value, "timer");
	} else if (text_is(name, "X-Sim")) {
		m->serial = text_number(value);
	} else if (text_is(name, "Record-Route")) {
		read_record_route(m, value);
		return m->status > 0;
	} else if (text_is(name, "Route")) {
		m->route_count++;
		return false;
	} else if (text_is(name, "Max-Forwards")) {
		m->max_forwards = (int)text_number(value);
		return false;
	} else if (text_is(name, "Max-Breadth")) { /* agents send none, the edge adds it (RFC 5393 5.3.3) */
		return false;
	}
	return true;
}

static bool
read_start(struct seen *m)
{
	if (m->start.size > 12 && memcmp(m->start.at, "SIP/2.0 ", 8) == 0) {
		m->status = text_number(after(m->start, 8));
		return m->status >= 100 && m->status < 700;
	}
	m->uri = until(behind(m->start, " "), " ");
	return m->uri.size > 0;
}

bool
message_read(const char *bytes, unsigned size, struct seen *m)
{
	struct text rest = {bytes, size}, line;

	*m = (struct seen){.max_forwards = -1};
	m->start = until(rest, "\r");
	if (!read_start(m))
		return false;
	for (rest = after(rest, m->start.size + 2); rest.size > 2; rest = after(rest, line.size + 2)) {
		const char *end = memchr(rest.at, '\r', rest.size);
		struct text name;

		line = (struct text){rest.at, end ? (unsigned)(end - rest.at) : rest.size};
		if (line.size == 0)
			break;
		name = until(line, ":");
		if (read_header(m, line, name, after(line, name.size + 2)))
			m->essence.lines += bytes_hash(line.at, line.size, 2);
	}
	m->body = after(rest, 2);
	m->essence.body = bytes_hash(m->body.at, m->body.size, 3);
	return m->essence.via_count > 0 && m->branch[0].size > 0 && m->call_id.size > 0 && m->method.size > 0;
}

/* ---- writing ---- */

struct writer {
	char *at;
	unsigned left;
};

static void __attribute__((format(printf, 2, 3)))
put(struct writer *writer, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(writer->at, writer->left, format, arguments);
	va_end(arguments);
	if (size < 0 || (unsigned)size >= writer->left)
		abort();
	writer->at += size;
	writer->left -= (unsigned)size;
}

/* A body that no other message has. */
static void
put_body(struct writer *writer, unsigned size, unsigned serial)
{
	uint64_t state = serial;

	if (size > 0)
		put(writer, "Content-Type: application/sdp\r\n");
	put(writer, "Content-Length: %u\r\n\r\n", size);
	if (size >= writer->left)
		abort();
	for (unsigned i = 0; i < size; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		*writer->at++ = "v=0o-mabcdefghijklrstuxyz 12345\n"[state >> 59];
	}
	writer->left -= size;
}

unsigned
message_write_request(const struct wording *w, char *out)
{
	struct writer writer = {out, MESSAGE_SIZE_MAX};

	put(&writer, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s%s\r\n%sMax-Forwards: 70\r\n%s", w->method, w->uri,
		w->sent_by, w->branch, w->rport ? ";rport" : "", w->below ? w->below : "", w->routes ? w->routes : "");
	put(&writer, "From: <%s>;tag=%s\r\nTo: <%s>%s%s\r\nCall-ID: call-%u@sim\r\nCSeq: %u %s\r\n", w->from,
		w->from_tag, w->to, w->to_tag ? ";tag=" : "", w->to_tag ? w->to_tag : "", w->call, w->cseq, w->method);
	if (w->contact != NULL)
		put(&writer, "Contact: <%s>\r\n", w->contact);
	if (w->reason != NULL)
		put(&writer, "Reason: %s\r\n", w->reason);
	if (w->timer)
		put(&writer, "Supported: timer\r\n");
	if (w->session > 0)
		put(&writer, "Session-Expires: %u\r\n", w->session);
	put(&writer, "X-Sim: %u\r\n", w->serial);
	put_body(&writer, w->body, w->serial);
	return MESSAGE_SIZE_MAX - writer.left;
}

static const char *
reason_phrase(unsigned status)
{
	switch (status) {
	case 100:
		return "Trying";
	case 180:
		return "Ringing";
	case 200:
		return "OK";
	case 486:
		return "Busy Here";
	case 487:
		return "Request Terminated";
	default:
		return "As You Like It";
	}
}

unsigned
message_write_response(const struct seen *request, unsigned status, const char *tag, const char *contact, unsigned serial,
	unsigned body, unsigned session, char *out)
{
	struct writer writer = {out, MESSAGE_SIZE_MAX};

	put(&writer, "SIP/2.0 %u %s\r\n", status, reason_phrase(status));
	for (unsigned i = 0; i < request->essence.via_count; i++)
		put(&writer, "%.*s\r\n", (int)request->vias[i].size, request->vias[i].at);
	if (contact != NULL)
		for (unsigned i = 0; i < request->record_route_count; i++)
			put(&writer, "Record-Route: %.*s\r\n", (int)request->record_routes[i].size,
				request->record_routes[i].at);
	put(&writer, "From: %.*s\r\nTo: %.*s", (int)request->from.size, request->from.at, (int)request->to.size,
		request->to.at);
	if (request->to_tag.size == 0 && tag != NULL && status > 100)
		put(&writer, ";tag=%s", tag);
	put(&writer, "\r\nCall-ID: %.*s\r\nCSeq: %u %.*s\r\n", (int)request->call_id.size, request->call_id.at,
		request->cseq, (int)request->method.size, request->method.at);
	if (contact != NULL)
		put(&writer, "Contact: <%s>\r\n", contact);
	if (session > 0)
		put(&writer, "Session-Expires: %u;refresher=uas\r\n", session);
	put(&writer, "X-Sim: %u\r\n", serial);
	put_body(&writer, body, serial);
	return MESSAGE_SIZE_MAX - writer.left;
}
