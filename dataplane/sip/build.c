/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Messages that the edge itself makes: responses, the ACK to a 3xx-6xx, CANCEL.
 * Built from a message at hand, whose lines are copied as they are.
 * RFC 3261 8.2.6, 9.1, 17.1.1.3, 18.2.1; RFC 3326; RFC 3581 4.
 */
#include "sip/edit.h"
#include "sip/uri.h"

struct writer {
	uint8_t *out;
	uint32_t capacity;
	uint32_t used;
	bool full;
};

static void
put(struct writer *w, const void *bytes, uint32_t size)
{
	if (w->full || size > w->capacity - w->used) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->used, bytes, size);
	w->used += size;
}

#define PUT(w, text) put((w), (text), sizeof(text) - 1)

static void
put_text(struct writer *w, const char *text)
{
	put(w, text, (uint32_t)strlen(text));
}

static void
put_span(struct writer *w, const struct bp_sip_message *m, struct bp_span span)
{
	put(w, bp_sip_at(m, span), span.size);
}

static void
put_number(struct writer *w, uint32_t value)
{
	char digits[10];
	unsigned at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put(w, digits + at, (uint32_t)sizeof(digits) - at);
}

/* "name: value" with its line end, as it stands in the message. */
static void
put_line(struct writer *w, const struct bp_sip_message *m, const struct bp_sip_header *header)
{
	put_span(w, m, header->name);
	PUT(w, ": ");
	put_span(w, m, header->value);
	PUT(w, "\r\n");
}

static void
put_lines(struct writer *w, const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	for (const struct bp_sip_header *header = bp_sip_first(m, id); header;
		header = bp_sip_next(m, header))
		put_line(w, m, header);
}

static void
put_first(struct writer *w, const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);

	if (header)
		put_line(w, m, header);
}

static uint32_t
finish(struct writer *w)
{
	PUT(w, "Content-Length: 0\r\n\r\n");
	return w->full || w->used > 65507 ? 0 : w->used;
}

/* The Vias of the request, received and rport in the topmost. */
static void
put_vias(struct writer *w, const struct bp_sip_message *request, const struct bp_flow *from)
{
	const struct bp_sip_header *header = bp_sip_first(request, BP_SIP_VIA);
	struct bp_edits edits;
	uint32_t at, end;

	if (header == NULL)
		return;
	bp_edits_begin(&edits, request);
	if (from)
		bp_edit_via_received(&edits, &from->ip, from->port);
	put_span(w, request, header->name);
	PUT(w, ": ");
	at = header->value.offset;
	end = at + header->value.size;
	for (unsigned i = 0; i < edits.count; i++) {
		const struct bp_edit *edit = &edits.list[i];

		put(w, request->bytes + at, edit->offset - at);
		put(w, edits.text + edit->text, edit->insert);
		at = (uint32_t)edit->offset + edit->remove;
	}
	put(w, request->bytes + at, end - at);
	PUT(w, "\r\n");
	while ((header = bp_sip_next(request, header)))
		put_line(w, request, header);
}

static void
put_to(struct writer *w, const struct bp_sip_message *request, const char *tag)
{
	const struct bp_sip_header *to = bp_sip_first(request, BP_SIP_TO);

	if (to == NULL)
		return;
	put_span(w, request, to->name);
	PUT(w, ": ");
	put_span(w, request, to->value);
	if (tag && request->to_tag.size == 0) {
		PUT(w, ";tag=");
		put_text(w, tag);
	}
	PUT(w, "\r\n");
}

uint32_t
bp_build_response(const struct bp_sip_message *request, uint16_t status, const char *reason,
	const struct bp_flow *from, const char *to_tag, const char *extra, uint8_t *out, uint32_t capacity)
{
	struct writer w = {.out = out, .capacity = capacity};

	PUT(&w, "SIP/2.0 ");
	put_number(&w, status);
	PUT(&w, " ");
	put_text(&w, reason ? reason : bp_sip_reason(status));
	PUT(&w, "\r\n");
	put_vias(&w, request, from);
	put_first(&w, request, BP_SIP_FROM);
	put_to(&w, request, status > 100 ? to_tag : NULL);
	put_first(&w, request, BP_SIP_CALL_ID);
	put_first(&w, request, BP_SIP_CSEQ);
	if (status == 100)
		put_first(&w, request, BP_SIP_TIMESTAMP);
	if (extra)
		put_text(&w, extra);
	return finish(&w);
}

/* What ACK and CANCEL have in common: the request line and our Via, the topmost. */
static void
put_hop_request(struct writer *w, const struct bp_sip_message *request, const char *method)
{
	put_text(w, method);
	PUT(w, " ");
	put_span(w, request, request->uri);
	PUT(w, " SIP/2.0\r\nVia: ");
	put_span(w, request, request->via.element);
	PUT(w, "\r\nMax-Forwards: 70\r\n");
	put_lines(w, request, BP_SIP_ROUTE);
	put_first(w, request, BP_SIP_FROM);
}

static void
put_cseq(struct writer *w, const struct bp_sip_message *request, const char *method)
{
	put_first(w, request, BP_SIP_CALL_ID);
	PUT(w, "CSeq: ");
	put_number(w, request->cseq);
	PUT(w, " ");
	put_text(w, method);
	PUT(w, "\r\n");
}

uint32_t
bp_build_ack(const struct bp_sip_message *request, const struct bp_sip_message *response, uint8_t *out,
	uint32_t capacity)
{
	struct writer w = {.out = out, .capacity = capacity};

	put_hop_request(&w, request, "ACK");
	put_first(&w, response, BP_SIP_TO);
	put_cseq(&w, request, "ACK");
	return finish(&w);
}

uint32_t
bp_build_cancel(const struct bp_sip_message *request, const char *reason, uint16_t reason_size, uint8_t *out,
	uint32_t capacity)
{
	struct writer w = {.out = out, .capacity = capacity};

	put_hop_request(&w, request, "CANCEL");
	put_first(&w, request, BP_SIP_TO);
	put_cseq(&w, request, "CANCEL");
	if (reason)
		put(&w, reason, reason_size);
	return finish(&w);
}
