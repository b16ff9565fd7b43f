/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Learning shapes: which bytes of a message may change without changing its view. That is worth it for what comes
 * again, so a shape is learnt when its line ends are seen a second time, and not for every message, for that costs more
 * than a parse.
 *
 * A byte may change if it is of bp_set_host, and stands where all bytes of that set are alike to the parser: in the user
 * of the Request-URI, the host and branch of the top Via, the URI, tag and display name of From and To, the Call-ID, and in
 * values that the parser does not read. The digits of CSeq and Content-Length are read again.
 */
#include "sip/shape.h"

#include "sip/scan.h"

/* One miss of so many is learnt from: of many while that helps, of few where messages have no shape. */
#define LEARN_EVERY 16
#define LEARN_SELDOM 256
#define TRIALS 4096    /* misses before it must have helped */
#define FORGET_AT 65536 /* what was long ago counts half */

static uint32_t
end_of(struct bp_span span)
{
	return (uint32_t)span.offset + span.size;
}

static void
free_bytes(struct bp_sip_shape *shape, uint32_t begin, uint32_t end)
{
	for (uint32_t i = begin; i < end; i++)
		if (bp_set_has(&bp_set_host, shape->text[i]))
			shape->fixed[i] = 0;
}

static void
free_span(struct bp_sip_shape *shape, struct bp_span span)
{
	free_bytes(shape, span.offset, end_of(span));
}

/* What follows a % is read as hexadecimal digits. */
static bool
has_escape(const struct bp_sip_message *m, struct bp_span span)
{
	return span.size > 0 && memchr(bp_sip_at(m, span), '%', span.size) != NULL;
}

/* "display" <sip:...>;tag=... and nothing else; another form stays as it is. */
static void
free_party(struct bp_sip_shape *shape, const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_span tag)
{
	struct bp_span value = bp_sip_first(m, id)->value;
	const char *begin = bp_sip_at(m, value), *end = begin + value.size;
	const char *angle = memrchr(begin, '<', value.size), *close;

	if (angle == NULL || end - angle < 7 || memcmp(angle, "<sip:", 5) != 0)
		return;
	close = memchr(angle, '>', (size_t)(end - angle));
	if (close == NULL)
		return;
	if (close + 1 != end && (tag.size == 0 || end_of(tag) != end_of(value) || bp_sip_at(m, tag) != close + 6 ||
					memcmp(close + 1, ";tag=", 5) != 0))
		return;
	free_bytes(shape, value.offset, value.offset + (uint32_t)(angle - begin));
	free_bytes(shape, value.offset + (uint32_t)(angle - begin) + 5, value.offset + (uint32_t)(close - begin));
	free_span(shape, tag);
}

static void
free_host(struct bp_sip_shape *shape, const struct bp_sip_message *m, struct bp_span host)
{
	if (*bp_sip_at(m, host) != '[')
		free_span(shape, host);
}

static void
free_top_via(struct bp_sip_shape *shape, const struct bp_sip_message *m)
{
	const unsigned cookie = 7;

	free_host(shape, m, m->via.host);
	if (m->via.magic)
		free_bytes(shape, m->via.branch.offset + cookie, end_of(m->via.branch));
}

/* So that it stays a well-formed Via, when it is the only one of its line. To the parser itself only commas count in all
 * Vias but the first. */
static void
free_next_via(struct bp_sip_shape *shape, struct bp_sip_message *view, const struct bp_sip_message *m,
	const struct bp_sip_header *header)
{
	struct bp_sip_via via;

	if (!m->via.last || !bp_sip_line_via(m, header, &via) || !via.last) {
		free_span(shape, header->value);
		return;
	}
	view->known.next_host = via.host;
	free_host(shape, m, via.host);
	free_span(shape, via.branch);
	free_span(shape, via.received);
	free_span(shape, via.rport);
}

/* So that it stays a URI that is cut in the same places. */
static void
free_contact(struct bp_sip_shape *shape, struct bp_sip_message *view, const struct bp_sip_message *m,
	const struct bp_sip_header *header)
{
	struct bp_sip_uri uri;

	if (header != bp_sip_first(m, BP_SIP_CONTACT) || !bp_sip_first_uri(m, BP_SIP_CONTACT, &uri) ||
		uri.scheme != BP_URI_SIP || has_escape(m, uri.user)) {
		if (header != bp_sip_first(m, BP_SIP_CONTACT))
			free_span(shape, header->value);
		return;
	}
	view->known.contact = uri;
	free_span(shape, uri.user);
}

/* Digits of a value from its beginning on. */
static unsigned
digits_of(const struct bp_sip_message *m, struct bp_span value)
{
	const char *p = bp_sip_at(m, value);
	unsigned count = 0;

	while (count < value.size && p[count] >= '0' && p[count] <= '9')
		count++;
	return count;
}

static void
free_line(struct bp_sip_shape *shape, struct bp_sip_message *view, const struct bp_sip_message *m,
	const struct bp_sip_header *header)
{
	const struct bp_sip_header *first_via = bp_sip_first(m, BP_SIP_VIA);
	unsigned digits;

	switch (header->id) {
	case BP_SIP_VIA:
		if (first_via->next && header == bp_sip_next(m, first_via))
			free_next_via(shape, view, m, header);
		else if (header != first_via)
			free_span(shape, header->value);
		break;
	case BP_SIP_CONTACT:
		free_contact(shape, view, m, header);
		break;
	case BP_SIP_FROM:
		free_party(shape, m, BP_SIP_FROM, m->from_tag);
		break;
	case BP_SIP_TO:
		free_party(shape, m, BP_SIP_TO, m->to_tag);
		break;
	case BP_SIP_CSEQ:
		digits = digits_of(m, header->value);
		if (digits > 8)
			break;
		shape->cseq_digits = (uint8_t)digits;
		shape->cseq_end = (uint16_t)(header->value.offset + digits);
		free_bytes(shape, header->value.offset, shape->cseq_end);
		break;
	case BP_SIP_CONTENT_LENGTH:
		shape->length_digits = (uint8_t)header->value.size;
		shape->length_end = (uint16_t)end_of(header->value);
		free_span(shape, header->value);
		break;
	case BP_SIP_MAX_FORWARDS:
		break;
	default:
		free_span(shape, header->value);
	}
}

static bool
can_learn(const struct bp_sip_message *m)
{
	const struct bp_sip_header *length = bp_sip_first(m, BP_SIP_CONTENT_LENGTH);

	return m->fault == BP_SIP_FAULT_NONE && m->body_offset >= BP_SHAPE_HEAD_MIN &&
	       m->body_offset <= BP_SHAPE_HEAD_MAX && m->header_count <= BP_SHAPE_LINES_MAX &&
	       (length == NULL || length->value.size <= 8);
}

static void
learn(struct bp_sip_shape *shape, const struct bp_sip_message *m, const struct bp_sip_limits *limits)
{
	size_t size = offsetof(struct bp_sip_message, headers) + m->header_count * sizeof(m->headers[0]);
	struct bp_sip_message *view = (struct bp_sip_message *)(void *)shape->view;

	memcpy(view, m, size);
	shape->view_size = (uint16_t)((size + 31) / 32 * 32);
	shape->head_size = m->body_offset;
	shape->limits = *limits;
	shape->length_digits = shape->cseq_digits = 0;
	memcpy(shape->text, m->bytes, m->body_offset);
	memset(shape->fixed, 0xff, sizeof(shape->fixed));
	if (m->status == 0 && m->target.scheme == BP_URI_SIP && !has_escape(m, m->target.user))
		free_span(shape, m->target.user);
	free_top_via(shape, m);
	free_span(shape, m->call_id);
	for (unsigned i = 0; i < m->header_count; i++)
		if (m->headers[i].id != BP_SIP_CALL_ID)
			free_line(shape, view, m, &m->headers[i]);
}

static bool
is_turn(struct bp_sip_shapes *shapes)
{
	unsigned every = shapes->found + TRIALS >= shapes->missed ? LEARN_EVERY : LEARN_SELDOM;
	bool turn = shapes->missed % every == 0;

	if (++shapes->missed >= FORGET_AT) {
		shapes->missed /= 2;
		shapes->found /= 2;
	}
	return turn;
}

void
bp_shape_missed(struct bp_sip_shapes *shapes, uint64_t key, const struct bp_sip_message *m,
	const struct bp_sip_limits *limits)
{
	struct bp_shape_set *set = bp_shape_set(shapes, key);
	unsigned way = set->turn;

	if (!shapes->eager && !is_turn(shapes))
		return;
	if (!can_learn(m))
		return;
	if (!shapes->eager && set->candidate != key) {
		set->candidate = key;
		return;
	}
	set->turn = (way + 1) % BP_SHAPE_WAYS;
	set->keys[way] = key;
	learn(&shapes->shapes[key >> 59][way], m, limits);
}
