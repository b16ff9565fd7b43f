/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a proxy does to a message, as edits: Via, Route, Request-URI, Max-Forwards,
 * headers, body. RFC 3261 16.3-16.7, 18.2.1; RFC 3581 4. Neighbour: edit.c has the list.
 */
#include "sip/edit.h"
#include "sip/uri.h"

static inline uint32_t
span_end(struct bp_span span)
{
	return (uint32_t)span.offset + span.size;
}

static unsigned
write_decimal(char *out, uint32_t value)
{
	char digits[10];
	unsigned count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (unsigned i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

/* A line at @offset, in pieces: "name: value" CRLF when @name, else @value CRLF. */
static void
insert_line(struct bp_edits *edits, uint32_t offset, const char *name, const char *value, uint32_t size)
{
	char *text = edits->text + edits->text_used;
	uint32_t name_size = name ? (uint32_t)strlen(name) : 0, used = 0;
	uint32_t total = size + 2 + (name ? name_size + 2 : 0);

	if (total > BP_EDITS_TEXT - (uint32_t)edits->text_used) {
		edits->overflow = true;
		return;
	}
	/* put together in its place: NULL tells bp_edit_replace() so */
	if (name) {
		memcpy(text, name, name_size);
		memcpy(text + name_size, ": ", 2);
		used = name_size + 2;
	}
	memcpy(text + used, value, size);
	memcpy(text + used + size, "\r\n", 2);
	bp_edit_replace(edits, (uint16_t)offset, 0, NULL, (uint16_t)total);
}

static void
remove_range(struct bp_edits *edits, uint32_t begin, uint32_t end)
{
	bp_edit_replace(edits, (uint16_t)begin, (uint16_t)(end - begin), NULL, 0);
}

static const char *
header_name(enum bp_sip_header_id id)
{
	static const char *const names[BP_SIP_HEADER_ID_COUNT] = {
#define X(id, name, compact) [BP_SIP_##id] = name,
		BP_SIP_HEADERS(X)
#undef X
	};

	return names[id];
}

/* Where a new line of this kind goes: before the first of its kind, or behind the start line. */
static uint32_t
push_offset(const struct bp_edits *edits, enum bp_sip_header_id before)
{
	const struct bp_sip_header *first = bp_sip_first(edits->m, before);

	return first ? first->line.offset : edits->m->headers_offset;
}

void
bp_edit_push_header(struct bp_edits *edits, enum bp_sip_header_id before, const char *line, uint16_t size)
{
	insert_line(edits, push_offset(edits, before), NULL, line, size);
}

void
bp_edit_pop_via(struct bp_edits *edits)
{
	const struct bp_sip_header *first = bp_sip_first(edits->m, BP_SIP_VIA);
	struct bp_sip_walk walk = {.started = false};

	if (first == NULL || !bp_sip_walk_next(edits->m, BP_SIP_VIA, &walk))
		return;
	if (walk.last_of_line)
		remove_range(edits, walk.header->line.offset, span_end(walk.header->line));
	else
		remove_range(edits, walk.header->value.offset, walk.next);
}

void
bp_edit_pop_routes(struct bp_edits *edits, unsigned count)
{
	struct bp_sip_walk walk = {.started = false};
	bool more = count > 0 && bp_sip_walk_next(edits->m, BP_SIP_ROUTE, &walk);

	while (more) {
		const struct bp_sip_header *header = walk.header;

		/* as many of this line as there are to go */
		while (--count > 0 && !walk.last_of_line && bp_sip_walk_next(edits->m, BP_SIP_ROUTE, &walk))
			;
		if (walk.last_of_line) {
			remove_range(edits, header->line.offset, span_end(header->line));
			more = count > 0 && bp_sip_walk_next(edits->m, BP_SIP_ROUTE, &walk);
		} else {
			remove_range(edits, header->value.offset, walk.next);
			return;
		}
	}
}

void
bp_edit_pop_last_route(struct bp_edits *edits)
{
	struct bp_sip_walk walk = {.started = false}, last = {.started = false};
	uint32_t previous_end = 0;

	while (bp_sip_walk_next(edits->m, BP_SIP_ROUTE, &walk)) {
		previous_end = walk.first_of_line ? 0 : span_end(last.element);
		last = walk;
	}
	if (last.header == NULL)
		return;
	if (last.first_of_line)
		remove_range(edits, last.header->line.offset, span_end(last.header->line));
	else
		remove_range(edits, previous_end, span_end(last.element));
}

void
bp_edit_append_route(struct bp_edits *edits, const char *uri, uint16_t size)
{
	const struct bp_sip_header *last = bp_sip_first(edits->m, BP_SIP_ROUTE);
	static const char begin[] = "Route: <";
	char *text = edits->text + edits->text_used;
	uint32_t total = (uint32_t)(sizeof(begin) - 1) + size + 3;

	while (last && last->next)
		last = bp_sip_next(edits->m, last);
	if (total > BP_EDITS_TEXT - (uint32_t)edits->text_used) {
		edits->overflow = true;
		return;
	}
	memcpy(text, begin, sizeof(begin) - 1);
	memcpy(text + sizeof(begin) - 1, uri, size);
	memcpy(text + total - 3, ">\r\n", 3);
	/* a line of its own: the last line may be one that goes */
	bp_edit_replace(edits, (uint16_t)(last ? span_end(last->line) : edits->m->headers_offset), 0, NULL,
		(uint16_t)total);
}

/* Whether @ip is what the host of sent-by says. */
static bool
sent_by_is(const struct bp_sip_message *m, const struct bp_ip *ip)
{
	struct bp_ip host;

	return bp_sip_host_ip(m->bytes, m->via.host, &host) && bp_ip_equal(&host, ip);
}

void
bp_edit_via_received(struct bp_edits *edits, const struct bp_ip *ip, uint16_t port)
{
	const struct bp_sip_via *via = &edits->m->via;
	char text[64], *address = text + 10;
	unsigned size;

	if (via->element.size == 0)
		return;
	if (via->rport_at) {
		text[0] = '=';
		size = 1 + write_decimal(text + 1, port);
		/* the value that a client wrote is not to be believed */
		bp_edit_replace(edits, via->rport_at,
			(uint16_t)(via->rport.size ? span_end(via->rport) - via->rport_at : 0), text,
			(uint16_t)size);
	}
	if (!via->rport_at && !via->received.size && sent_by_is(edits->m, ip))
		return;
	size = bp_sip_ip_write(ip, address);
	if (address[0] == '[') { /* via-received has no brackets: RFC 5118 4.5 */
		address++;
		size -= 2;
	}
	if (via->received.size) {
		bp_edit_replace(edits, via->received.offset, via->received.size, address, (uint16_t)size);
		return;
	}
	memcpy(address - 10, ";received=", 10);
	bp_edit_replace(edits, (uint16_t)span_end(via->element), 0, address - 10, (uint16_t)(size + 10));
}

void
bp_edit_max_forwards(struct bp_edits *edits, uint8_t value)
{
	char text[4];

	bp_edit_replace_header(edits, BP_SIP_MAX_FORWARDS, text, (uint16_t)write_decimal(text, value));
}

void
bp_edit_request_uri(struct bp_edits *edits, const char *uri, uint16_t size)
{
	bp_edit_replace(edits, edits->m->uri.offset, edits->m->uri.size, uri, size);
}

void
bp_edit_delete_header(struct bp_edits *edits, enum bp_sip_header_id id)
{
	const struct bp_sip_header *header;

	for (header = bp_sip_first(edits->m, id); header; header = bp_sip_next(edits->m, header))
		remove_range(edits, header->line.offset, span_end(header->line));
}

void
bp_edit_replace_header(struct bp_edits *edits, enum bp_sip_header_id id, const char *value, uint16_t size)
{
	const struct bp_sip_header *header = bp_sip_first(edits->m, id);

	if (header)
		bp_edit_replace(edits, header->value.offset, header->value.size, value, size);
	else
		insert_line(edits, edits->m->headers_offset, header_name(id), value, size);
}

void
bp_edit_body(struct bp_edits *edits, const uint8_t *body, uint16_t size)
{
	const struct bp_sip_message *m = edits->m;
	char text[8];

	bp_edit_replace_header(edits, BP_SIP_CONTENT_LENGTH, text, (uint16_t)write_decimal(text, size));
	bp_edit_replace(
		edits, m->body_offset, (uint16_t)(m->size - m->body_offset), (const char *)body, size);
}
