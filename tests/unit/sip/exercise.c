/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See exercise.h.
 */
#include "exercise.h"

#include "sip/edit.h"
#include "sip/scan.h"
#include "sip/uri.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                                      \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                      \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

static const struct bp_sip_limits limits = {.headers = 100, .vias = 50, .uri = 2000};

/* A copy in a block of exactly this size, so that a sanitizer sees a step outside. */
static uint8_t *
exact_copy(const uint8_t *bytes, uint32_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

static void
must_be_inside(struct bp_span span, uint32_t begin, uint32_t end)
{
	MUST(span.size == 0 || (span.offset >= begin && (uint32_t)span.offset + span.size <= end));
}

static void
check_uri(const uint8_t *bytes, struct bp_span span)
{
	struct bp_sip_uri uri;
	struct bp_ip ip;
	uint32_t begin = span.offset, end = begin + span.size;

	if (!bp_sip_uri_cut(bytes, span, &uri))
		return;
	must_be_inside(uri.user, begin, end);
	must_be_inside(uri.host, begin, end);
	must_be_inside(uri.params, begin, end);
	must_be_inside(uri.headers, begin, end);
	must_be_inside(uri.maddr, uri.params.offset, (uint32_t)uri.params.offset + uri.params.size);
	MUST(uri.scheme == BP_URI_OTHER || uri.user.size || uri.host.size);
	MUST(bp_sip_uri_equal(bytes, span, bytes, span) || uri.params.size || uri.headers.size);
	if (bp_sip_host_ip(bytes, uri.host, &ip)) {
		char text[64];
		struct bp_ip again;
		unsigned size = bp_sip_ip_write(&ip, text);

		MUST(size <= 41);
		MUST(bp_sip_host_ip((const uint8_t *)text, (struct bp_span){0, (uint16_t)size}, &again));
		MUST(bp_ip_equal(&ip, &again));
	}
}

static void
check_address(const uint8_t *bytes, struct bp_span span)
{
	struct bp_sip_address address;
	struct bp_span value;
	uint32_t begin = span.offset, end = begin + span.size;

	if (!bp_sip_address_cut(bytes, span, &address))
		return;
	must_be_inside(address.display, begin, end);
	must_be_inside(address.uri, begin, end);
	must_be_inside(address.params, begin, end);
	MUST(address.uri.size > 2);
	must_be_inside(
		address.tag, address.params.offset, (uint32_t)address.params.offset + address.params.size);
	MUST(bp_sip_param(bytes, address.params, "tag", &value) == (address.tag.size != 0));
	MUST(value.offset == address.tag.offset && value.size == address.tag.size);
	check_uri(bytes, address.uri);
}

static bool
check_via(const uint8_t *bytes, struct bp_span span, struct bp_sip_via *via)
{
	uint32_t begin = span.offset, end = begin + span.size;

	if (!bp_sip_via_cut(bytes, span, via))
		return false;
	MUST(via->element.size && via->host.size && via->sent_by.size >= via->host.size);
	must_be_inside(via->element, begin, end);
	begin = via->element.offset;
	end = begin + via->element.size;
	must_be_inside(via->sent_by, begin, end);
	must_be_inside(via->host, begin, end);
	must_be_inside(via->params, begin, end);
	must_be_inside(via->branch, via->params.offset, end);
	must_be_inside(via->received, via->params.offset, end);
	must_be_inside(via->rport, via->params.offset, end);
	must_be_inside(via->maddr, via->params.offset, end);
	MUST(via->rport_at <= end);
	return true;
}

static void
check_lines(const struct bp_sip_message *m)
{
	uint8_t seen[BP_SIP_HEADER_ID_COUNT] = {0};

	for (unsigned i = 0; i < m->header_count; i++) {
		const struct bp_sip_header *header = &m->headers[i];
		uint32_t end = (uint32_t)header->line.offset + header->line.size;

		MUST(header->line.offset >= m->headers_offset && end <= m->body_offset);
		MUST(header->name.size && header->name.offset == header->line.offset);
		MUST(header->value.offset > header->name.offset &&
			(uint32_t)header->value.offset + header->value.size <= end);
		MUST(header->id < BP_SIP_HEADER_ID_COUNT);
		MUST(i == 0 || header->line.offset > m->headers[i - 1].line.offset);
		MUST(header->next == 0 || (header->next > i + 1 && header->next <= m->header_count));
		if (seen[header->id]++ == 0)
			MUST(m->first[header->id] == i + 1);
	}
	for (unsigned id = 0; id < BP_SIP_HEADER_ID_COUNT; id++) {
		unsigned count = 0;

		for (const struct bp_sip_header *h = bp_sip_first(m, id); h; h = bp_sip_next(m, h))
			count++;
		MUST(count == seen[id]);
	}
}

/* Every variant cuts an element as the chosen one does. */
static void
check_variants(const uint8_t *bytes, struct bp_span span)
{
	struct bp_sip_address address, other_address;
	struct bp_sip_via via, other_via;
	struct bp_sip_uri uri, other_uri;
	bool has_via = bp_sip_via_cut(bytes, span, &via),
	     has_address = bp_sip_address_cut(bytes, span, &address);
	bool has_uri = has_address && bp_sip_uri_cut(bytes, address.uri, &uri);

	for (unsigned i = 0; bp_variants[i]; i++) {
		const struct bp_variant *v = bp_variants[i];

		if (!v->supported())
			continue;
		MUST(v->via_cut(bytes, span, &other_via) == has_via);
		MUST(!has_via || memcmp(&via, &other_via, sizeof(via)) == 0);
		MUST(v->address_cut(bytes, span, &other_address) == has_address);
		if (!has_address)
			continue;
		MUST(memcmp(&address, &other_address, sizeof(address)) == 0);
		MUST(v->uri_cut(bytes, address.uri, &other_uri) == has_uri);
		MUST(!has_uri || memcmp(&uri, &other_uri, sizeof(uri)) == 0);
	}
}

/* The first element in one step is what it is in several. */
static void
check_first(const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	struct bp_sip_walk walk = {.started = false};
	struct bp_sip_address address, got_address;
	struct bp_sip_uri uri, got_uri;
	bool has_address =
		bp_sip_walk_next(m, id, &walk) && bp_sip_address_cut(m->bytes, walk.element, &address);
	bool has_uri = has_address && bp_sip_uri_cut(m->bytes, address.uri, &uri);

	if (!has_address)
		memset(&address, 0, sizeof(address));
	if (!has_uri)
		memset(&uri, 0, sizeof(uri));
	for (unsigned i = 0; bp_variants[i]; i++) {
		if (!bp_variants[i]->supported())
			continue;
		MUST(bp_variants[i]->first_address(m, id, &got_address) == has_address);
		MUST(memcmp(&address, &got_address, sizeof(address)) == 0);
		MUST(bp_variants[i]->first_uri(m, id, &got_uri) == has_uri);
		MUST(memcmp(&uri, &got_uri, sizeof(uri)) == 0);
	}
}

/* A Via in a line of its own is cut as any element. */
static void
check_via_lines(const struct bp_sip_message *m)
{
	struct bp_sip_via via, other;

	if (m->fault != BP_SIP_FAULT_NONE)
		return;
	for (const struct bp_sip_header *h = bp_sip_first(m, BP_SIP_VIA); h; h = bp_sip_next(m, h)) {
		bool has_via = bp_sip_via_cut(m->bytes, h->value, &via);

		for (unsigned i = 0; bp_variants[i]; i++) {
			if (!bp_variants[i]->supported())
				continue;
			MUST(bp_variants[i]->line_via(m, h, &other) == has_via);
			MUST(!has_via || memcmp(&via, &other, sizeof(via)) == 0);
		}
	}
}

static void
check_elements(const struct bp_sip_message *m)
{
	for (unsigned id = 0; id < BP_SIP_HEADER_ID_COUNT; id++) {
		struct bp_sip_walk walk = {.started = false};
		struct bp_sip_via via;
		unsigned count = 0;

		while (bp_sip_walk_next(m, id, &walk)) {
			MUST(walk.index == count++);
			must_be_inside(walk.element, walk.header->value.offset,
				(uint32_t)walk.header->value.offset + walk.header->value.size);
			check_address(m->bytes, walk.element);
			check_variants(m->bytes, walk.element);
			if (id == BP_SIP_VIA)
				check_via(m->bytes, walk.element, &via);
		}
		check_first(m, id);
	}
}

/* Each header is found by its name as text. */
static void
check_names(const struct bp_sip_message *m)
{
	for (unsigned i = 0; i < m->header_count && i < 8; i++) {
		const struct bp_sip_header *header = &m->headers[i], *found;
		char name[64];

		if (header->name.size >= sizeof(name))
			continue;
		memcpy(name, bp_sip_at(m, header->name), header->name.size);
		name[header->name.size] = 0;
		found = bp_sip_find(m, name);
		MUST(found && found <= header && found->id == header->id);
		MUST(found->id != BP_SIP_OTHER || bp_span_is(m->bytes, found->name, name));
	}
	MUST(m->method < BP_METHOD_COUNT);
	if (m->fault == BP_SIP_FAULT_NONE && m->method != BP_METHOD_OTHER)
		MUST(memcmp(bp_sip_method_name(m->method), bp_sip_at(m, m->cseq_method),
			     m->cseq_method.size) == 0);
}

/* What must hold of any view. */
static void
check_view(const struct bp_sip_message *m, const uint8_t *bytes, uint32_t size)
{
	MUST(m->fault < BP_SIP_FAULT_COUNT);
	MUST(m->bytes >= bytes && m->bytes + m->size <= bytes + size);
	if (m->fault == BP_SIP_FAULT_EMPTY)
		return;
	MUST(m->headers_offset <= m->body_offset && m->body_offset <= m->size);
	must_be_inside(m->uri, 0, m->headers_offset);
	must_be_inside(m->reason, 0, m->headers_offset);
	must_be_inside(m->body, m->body_offset, m->size);
	must_be_inside(m->call_id, m->headers_offset, m->body_offset);
	must_be_inside(m->from_tag, m->headers_offset, m->body_offset);
	must_be_inside(m->to_tag, m->headers_offset, m->body_offset);
	check_lines(m);
	check_elements(m);
	check_via_lines(m);
	check_names(m);
	check_uri(m->bytes, m->uri);
	if (m->fault == BP_SIP_FAULT_NONE) {
		MUST(m->call_id.size && m->cseq_method.size && m->via.element.size);
		MUST(m->status ? m->status <= 699 : m->uri.size && m->method_text.size);
	}
}

static void
check_answer(const struct bp_sip_message *m)
{
	static uint8_t out[140000];
	static struct bp_sip_message answer;
	struct bp_flow from = {.ip = {.bytes = {0x20, 1, [15] = 1}}, .port = 5060};
	uint32_t size;

	if (!bp_sip_answerable(m))
		return;
	size = bp_build_response(
		m, 400, bp_sip_fault_text(m->fault), &from, "t", "Server: x\r\n", out, sizeof(out));
	if (size == 0)
		return;
	bp_sip_parse(&answer, out, size, NULL);
	MUST(answer.status == 400);
	if (m->fault != BP_SIP_FAULT_NONE)
		return;
	MUST(answer.fault == BP_SIP_FAULT_NONE || answer.fault == BP_SIP_FAULT_TOO_MANY_HEADERS);
	MUST(answer.cseq == m->cseq && answer.to_tag.size && answer.via.received.size);
}

/* The ACK and the CANCEL for a request as it was sent are requests of the same transaction. */
static void
check_hop_requests(const struct bp_sip_message *m)
{
	static uint8_t out[140000];
	static struct bp_sip_message built;
	uint32_t size;

	if (m->fault != BP_SIP_FAULT_NONE || m->status != 0)
		return;
	for (unsigned cancel = 0; cancel < 2; cancel++) {
		size = cancel ? bp_build_cancel(m, NULL, 0, out, sizeof(out))
			      : bp_build_ack(m, m, out, sizeof(out));
		if (size == 0)
			continue;
		bp_sip_parse(&built, out, size, NULL);
		MUST(built.fault == BP_SIP_FAULT_NONE || built.fault == BP_SIP_FAULT_TOO_MANY_HEADERS);
		MUST(built.method == (cancel ? BP_METHOD_CANCEL : BP_METHOD_ACK) && built.cseq == m->cseq);
		MUST(built.via.branch.size == m->via.branch.size && built.via.last && built.body.size == 0);
		MUST(built.uri.size == m->uri.size && built.to_tag.size == m->to_tag.size);
	}
}

/* Adds edits that @choice names. Returns how many Vias and Routes the result has more. */
static void
add_edits(struct bp_edits *edits, uint32_t choice)
{
	static const char via[] = "Via: SIP/2.0/UDP e;branch=z9hG4bKe", route[] = "Record-Route: <sip:e;lr>";
	struct bp_ip ip = {.bytes = {0x20, 1, [15] = 1}};

	if (choice & 1)
		bp_edit_push_header(edits, BP_SIP_VIA, via, sizeof(via) - 1);
	if (choice & 2)
		bp_edit_push_header(edits, BP_SIP_RECORD_ROUTE, route, sizeof(route) - 1);
	if (choice & 4)
		bp_edit_pop_routes(edits, choice >> 28 & 3);
	if (choice & 8)
		bp_edit_append_route(edits, "sip:last", 8);
	if (choice & 16)
		bp_edit_via_received(edits, &ip, 5070);
	if (choice & 32)
		bp_edit_max_forwards(edits, (uint8_t)(choice >> 20));
	if (choice & 64)
		bp_edit_request_uri(edits, "sip:new", 7);
	if (choice & 128)
		bp_edit_delete_header(edits, BP_SIP_SUPPORTED);
	if (choice & 256)
		bp_edit_replace_header(edits, BP_SIP_EXPIRES, "77", 2);
	if (choice & 512)
		bp_edit_body(edits, (const uint8_t *)"new body", 8);
	if (choice & 1024)
		bp_edit_pop_via(edits);
	if (choice & 2048)
		bp_edit_pop_last_route(edits);
}

static unsigned
count_elements(const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	struct bp_sip_walk walk = {.started = false};

	while (bp_sip_walk_next(m, id, &walk))
		;
	return walk.started && walk.header == NULL && walk.element.offset == 0 ? 0 : walk.index + 1;
}

static void
check_edited(const struct bp_sip_message *m, uint32_t choice)
{
	static uint8_t out[140000];
	static struct bp_sip_message edited;
	static struct bp_edits edits;
	uint32_t size, planned;

	if (m->fault != BP_SIP_FAULT_NONE)
		return;
	bp_edits_begin(&edits, m);
	add_edits(&edits, m->status ? choice & ~64u : choice);
	planned = bp_edits_size(&edits);
	size = bp_edits_apply(&edits, out, sizeof(out));
	MUST(size == planned && (!edits.overflow || size == 0));
	if (size == 0)
		return;
	if (size > 1)
		MUST(bp_edits_apply(&edits, out, size - 1) == 0);
	bp_edits_apply(&edits, out, size);
	bp_sip_parse(&edited, out, size, NULL);
	check_view(&edited, out, size);
	if (choice & 1024 && !(choice & 1))
		return; /* the Via that comes to the top may be anything */
	MUST(edited.fault == BP_SIP_FAULT_NONE || edited.fault == BP_SIP_FAULT_TOO_MANY_HEADERS ||
		edited.fault == BP_SIP_FAULT_TOO_MANY_VIAS);
	MUST(edited.cseq == m->cseq && edited.from_tag.size == m->from_tag.size);
	if (edited.fault == BP_SIP_FAULT_NONE && !(choice & (1 | 1024 | 16)))
		MUST(count_elements(&edited, BP_SIP_VIA) == count_elements(m, BP_SIP_VIA));
	if (choice & 512)
		MUST(edited.body.size == 8);
	else
		MUST(edited.body.size == m->body.size);
}

static bool
same_view(const struct bp_sip_message *a, const struct bp_sip_message *b)
{
	if (memcmp(a, b, offsetof(struct bp_sip_message, headers)) != 0)
		return false;
	for (unsigned i = 0; i < a->header_count; i++) {
		const struct bp_sip_header *x = &a->headers[i], *y = &b->headers[i];

		if (memcmp(&x->line, &y->line, 12) != 0 || x->id != y->id || x->next != y->next)
			return false;
	}
	return true;
}

/* What a shape knows is what cutting finds. */
static void
check_known(const struct bp_sip_message *m)
{
	const struct bp_sip_header *via = bp_sip_first(m, BP_SIP_VIA);
	struct bp_sip_via next;
	struct bp_sip_uri uri;

	if (m->known.contact.whole.size) {
		MUST(bp_sip_first_uri(m, BP_SIP_CONTACT, &uri));
		MUST(memcmp(&uri, &m->known.contact, sizeof(uri)) == 0);
	}
	if (m->known.next_host.size) {
		MUST(m->via.last && via->next && bp_sip_line_via(m, bp_sip_next(m, via), &next));
		MUST(memcmp(&next.host, &m->known.next_host, sizeof(next.host)) == 0 && next.last);
	}
}

/* Whatever was learnt from messages before, the view is the same, also when the message itself has just been learnt. */
static void
check_shaped(const struct bp_sip_message *m, const uint8_t *bytes, uint32_t size)
{
	static struct bp_sip_shapes shapes[4];
	static struct bp_sip_message other;

	for (unsigned i = 0; bp_variants[i]; i++) {
		if (!bp_variants[i]->supported())
			continue;
		shapes[i].eager = true;
		for (unsigned again = 0; again < 2; again++) {
			MUST(bp_variants[i]->parse_shaped(&shapes[i], &other, bytes, size, &limits) == m->fault);
			check_known(&other);
			memset(&other.known, 0, sizeof(other.known));
			MUST(same_view(m, &other));
		}
	}
}

/* The scanners of all variants stop at the same places. */
static void
check_scan(const uint8_t *bytes, uint32_t size)
{
	static const struct bp_scan_set *const sets[] = {
		&bp_set_token, &bp_set_uri, &bp_set_list_stop, &bp_set_angle};

	for (unsigned i = 0; bp_variants[i]; i++) {
		const struct bp_variant *variant = bp_variants[i];

		for (unsigned k = 0; variant->supported() && k < sizeof(sets) / sizeof(sets[0]); k++) {
			uint32_t at = size / 7 * k;

			MUST(variant->find(bytes, at, size, sets[k]) ==
				bp_variant_plain.find(bytes, at, size, sets[k]));
			MUST(variant->find_other(bytes, at, size, sets[k]) ==
				bp_variant_plain.find_other(bytes, at, size, sets[k]));
		}
	}
}

void
exercise_message(const uint8_t *bytes, uint32_t size)
{
	static struct bp_sip_message m, other;
	const struct bp_variant *chosen = bp_variant;
	uint8_t *copy = exact_copy(bytes, size);
	uint32_t choice = 0;

	bp_sip_parse(&m, copy, size, &limits);
	check_view(&m, copy, size);
	for (unsigned i = 0; bp_variants[i]; i++) {
		if (!bp_variants[i]->supported() || bp_variants[i] == chosen)
			continue;
		bp_variant = bp_variants[i];
		bp_sip_parse(&other, copy, size, &limits);
		MUST(same_view(&m, &other));
	}
	bp_variant = chosen;
	check_shaped(&m, copy, size);
	check_scan(copy, size);
	check_answer(&m);
	check_hop_requests(&m);
	for (uint32_t i = 0; i < size; i++)
		choice = choice * 31 + copy[i];
	check_edited(&m, choice);
	free(copy);
}

void
exercise_edit(const uint8_t *bytes, uint32_t size)
{
	static struct bp_sip_message m;
	uint32_t choice = 0;
	uint8_t *copy;

	if (size < 4)
		return;
	memcpy(&choice, bytes, 4);
	copy = exact_copy(bytes + 4, size - 4);
	bp_sip_parse(&m, copy, size - 4, &limits);
	check_edited(&m, choice);
	free(copy);
}

void
exercise_via(const uint8_t *bytes, uint32_t size)
{
	struct bp_sip_via via, again;
	uint8_t *copy;

	if (size > BP_SIP_MESSAGE_SIZE_MAX)
		return;
	copy = exact_copy(bytes, size);
	if (check_via(copy, (struct bp_span){0, (uint16_t)size}, &via)) {
		/* the element alone is the same Via, and the last of its line */
		MUST(check_via(copy, via.element, &again));
		MUST(again.last);
		again.last = via.last;
		MUST(memcmp(&via, &again, sizeof(via)) == 0);
	}
	free(copy);
}

void
exercise_uri(const uint8_t *bytes, uint32_t size)
{
	uint8_t *copy;
	struct bp_ip ip;

	if (size > BP_SIP_MESSAGE_SIZE_MAX)
		return;
	copy = exact_copy(bytes, size);
	check_uri(copy, (struct bp_span){0, (uint16_t)size});
	check_address(copy, (struct bp_span){0, (uint16_t)size});
	bp_sip_host_ip(copy, (struct bp_span){0, (uint16_t)size}, &ip);
	free(copy);
}

void
exercise_compare(const uint8_t *bytes, uint32_t size)
{
	const uint8_t *split = size ? memchr(bytes, '\n', size) : NULL;
	uint32_t first = split ? (uint32_t)(split - bytes) : 0, second = split ? size - first - 1 : 0;
	struct bp_sip_uri uri;
	uint8_t *a, *b;

	if (split == NULL || size > BP_SIP_MESSAGE_SIZE_MAX)
		return;
	a = exact_copy(bytes, first);
	b = exact_copy(split + 1, second);
	MUST(bp_sip_uri_equal(
		     a, (struct bp_span){0, (uint16_t)first}, b, (struct bp_span){0, (uint16_t)second}) ==
		bp_sip_uri_equal(
			b, (struct bp_span){0, (uint16_t)second}, a, (struct bp_span){0, (uint16_t)first}));
	if (bp_sip_uri_cut(a, (struct bp_span){0, (uint16_t)first}, &uri) &&
		uri.params.size + uri.headers.size == 0)
		MUST(bp_sip_uri_equal(a, uri.whole, a, uri.whole));
	free(a);
	free(b);
}
