/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The full check: what a message of a call must be, by RFC 3261, given what the generator's other end has sent. The
 * target is a proxy: it adds a Via (or more) to requests and takes it off responses, may record its route, decrements
 * Max-Forwards, may rewrite the host of the Request-URI, and leaves everything else as it is.
 */
#include "generator/messages.h"
#include "generator/shape.h"

#include "sip/uri.h"

#include <stdio.h>

#define TEXT_MAX 256

/* Text for the call at hand. */
struct expected {
	char text[TEXT_MAX];
	uint32_t size;
};

static struct expected
expect(const struct message *message, const char *pieces)
{
	struct expected expected;

	expected.size = pieces_write(pieces, &message->writer, expected.text, sizeof(expected.text));
	return expected;
}

static bool
span_is(const struct bp_sip_message *m, struct bp_span span, const struct expected *expected)
{
	return span.size == expected->size && memcmp(m->bytes + span.offset, expected->text, expected->size) == 0;
}

static bool
begins(const struct bp_sip_message *m, struct bp_span span, const struct expected *expected)
{
	return span.size >= expected->size && memcmp(m->bytes + span.offset, expected->text, expected->size) == 0;
}

static bool
header_is(const struct bp_sip_message *m, enum bp_sip_header_id id, const struct expected *expected)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);

	return header != NULL && header->next == 0 && span_is(m, header->value, expected);
}

/* The target's own bytes; too many are a message that cannot be known by shape, and fails in learn(). */
static void
add_opaque(struct lesson *lesson, struct bp_span span)
{
	if (span.size > 0 && lesson->opaque.count < SHAPE_FIELDS_MAX)
		lesson->opaque.spans[lesson->opaque.count++] = span;
}

/* The kind of a response to a request of the caller. */
static bool
response_kind(const struct bp_sip_message *m, enum gen_kind *kind)
{
	if (m->status < 200) {
		*kind = m->status == 180 && m->method == BP_METHOD_INVITE ? GEN_KIND_RINGING : GEN_KIND_TRYING;
		return m->status >= 100;
	}
	switch (m->method) {
	case BP_METHOD_INVITE:
		*kind = m->status < 300 ? GEN_KIND_OK : GEN_KIND_FINAL;
		return true;
	case BP_METHOD_BYE:
		*kind = GEN_KIND_OK_BYE;
		return true;
	case BP_METHOD_CANCEL:
		*kind = GEN_KIND_OK_CANCEL;
		return true;
	case BP_METHOD_OPTIONS:
	case BP_METHOD_REGISTER:
		*kind = GEN_KIND_OK_OTHER;
		return true;
	default:
		return false;
	}
}

static bool
request_kind(const struct bp_sip_message *m, const struct call *call, enum gen_kind *kind)
{
	switch (m->method) {
	case BP_METHOD_INVITE:
		*kind = GEN_KIND_INVITE;
		break;
	case BP_METHOD_ACK: /* after 487 the only one that can come */
		*kind = call->flags & CALL_REFUSED ? GEN_KIND_ACK_FINAL : GEN_KIND_ACK;
		break;
	case BP_METHOD_BYE:
		*kind = GEN_KIND_BYE;
		break;
	case BP_METHOD_CANCEL:
		*kind = GEN_KIND_CANCEL;
		break;
	case BP_METHOD_OPTIONS:
		*kind = GEN_KIND_OPTIONS;
		break;
	case BP_METHOD_REGISTER:
		*kind = GEN_KIND_REGISTER;
		break;
	default:
		return false;
	}
	return true;
}

/* The kind of the caller's request that a message is, or answers. */
static enum gen_kind
request_of(const struct bp_sip_message *m, enum gen_kind kind)
{
	if (m->status == 0)
		return kind;
	switch (m->method) {
	case BP_METHOD_BYE:
		return GEN_KIND_BYE;
	case BP_METHOD_CANCEL:
		return GEN_KIND_CANCEL;
	case BP_METHOD_OPTIONS:
		return GEN_KIND_OPTIONS;
	case BP_METHOD_REGISTER:
		return GEN_KIND_REGISTER;
	default:
		return GEN_KIND_INVITE;
	}
}

/* The caller's Via as it was sent, but for received and rport (RFC 3261 18.2.1, RFC 3581). */
static bool
is_own_via(const struct message *message, struct lesson *lesson, const struct bp_sip_via *via, enum gen_kind request)
{
	const struct bp_sip_message *m = &lesson->m;
	struct expected own;
	char text[TEXT_MAX];
	uint32_t rest;

	snprintf(text, sizeof(text), VIA "%c", branch_letter(request));
	own = expect(message, text);
	if (!begins(m, via->element, &own))
		return false;
	rest = own.size;
	if (via->received.size > 0)
		rest += (uint32_t)sizeof(";received=") - 1 + via->received.size;
	if (via->rport_at != 0)
		rest += (uint32_t)sizeof(";rport") - 1 + (via->rport.size > 0 ? via->rport.size + 1u : 0);
	add_opaque(lesson, via->received);
	add_opaque(lesson, via->rport);
	return rest == via->element.size;
}

/* The target's Vias, the caller's below them. A CANCEL, and an ACK to a final response, are the target's own (16.10,
 * 17.1.1.3): they have its Via alone. */
static enum gen_fault
check_vias(const struct gen *gen, struct lesson *lesson, const struct message *message)
{
	const struct bp_sip_message *m = &lesson->m;
	enum gen_kind request = request_of(m, lesson->kind);
	bool hop = !gen->direct && lesson->side == CALLEE &&
		(lesson->kind == GEN_KIND_CANCEL || lesson->kind == GEN_KIND_ACK_FINAL);
	unsigned foreign = 0, own = 0;
	struct bp_sip_walk walk = {0};

	while (bp_sip_walk_next(m, BP_SIP_VIA, &walk)) {
		struct bp_sip_via via;

		if (own > 0 || !bp_sip_via_cut(m->bytes, walk.element, &via))
			return GEN_FAULT_VIA;
		if (is_own_via(message, lesson, &via, request)) {
			own++;
			continue;
		}
		if (!via.magic)
			return GEN_FAULT_VIA;
		if (foreign++ == 0)
			lesson->branch = via.branch;
		add_opaque(lesson, via.branch);
	}
	if (lesson->side == CALLER || gen->direct)
		return own == 1 && foreign == 0 ? GEN_FAULT_NONE : GEN_FAULT_VIA;
	if (hop)
		return own == 0 && foreign == 1 ? GEN_FAULT_NONE : GEN_FAULT_VIA;
	return own == 1 && foreign > 0 ? GEN_FAULT_NONE : GEN_FAULT_VIA;
}

static enum gen_fault
check_from_and_cseq(const struct gen *gen, const struct lesson *lesson, const struct message *message)
{
	const struct bp_sip_message *m = &lesson->m;
	enum gen_kind request = request_of(m, lesson->kind);
	struct expected expected = expect(message, FROM_URI ";tag=" FROM_TAG);
	char text[TEXT_MAX];

	if (!header_is(m, BP_SIP_FROM, &expected))
		return GEN_FAULT_FROM;
	snprintf(text, sizeof(text), "%u %s", cseq_of(request), method_of(request));
	expected = expect(message, text);
	if (!header_is(m, BP_SIP_CSEQ, &expected))
		return GEN_FAULT_CSEQ;
	snprintf(text, sizeof(text), NUMBER "-%s", gen->run);
	expected = expect(message, text);
	return header_is(m, BP_SIP_CALL_ID, &expected) ? GEN_FAULT_NONE : GEN_FAULT_CALL_ID;
}

/* To: as sent, and the callee's tag where it must be. The target may answer itself, with a tag of its own. */
static enum gen_fault
check_to(const struct gen *gen, struct lesson *lesson, const struct message *message)
{
	const struct bp_sip_message *m = &lesson->m;
	const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_TO);
	enum gen_kind kind = lesson->kind;
	char text[TEXT_MAX];
	struct expected uri, tagged;

	to_uri(gen, request_of(m, kind), text, sizeof(text));
	uri = expect(message, text);
	memcpy(text + strlen(text), ";tag=" TO_TAG, sizeof(";tag=" TO_TAG));
	tagged = expect(message, text);
	if (header == NULL || header->next != 0)
		return GEN_FAULT_TO;
	lesson->own_tag = span_is(m, header->value, &tagged);
	if (lesson->own_tag)
		return kind != GEN_KIND_INVITE && kind != GEN_KIND_CANCEL && kind != GEN_KIND_OPTIONS &&
				kind != GEN_KIND_REGISTER ?
			GEN_FAULT_NONE :
			GEN_FAULT_TO;
	switch (kind) {
	case GEN_KIND_INVITE:
	case GEN_KIND_CANCEL:
	case GEN_KIND_OPTIONS:
	case GEN_KIND_REGISTER:
		return span_is(m, header->value, &uri) ? GEN_FAULT_NONE : GEN_FAULT_TO;
	case GEN_KIND_ACK:
	case GEN_KIND_ACK_FINAL:
	case GEN_KIND_BYE:
	case GEN_KIND_RINGING:
	case GEN_KIND_OK:
	case GEN_KIND_OK_BYE:
		return GEN_FAULT_TO;
	case GEN_KIND_TRYING:
		if (span_is(m, header->value, &uri))
			return GEN_FAULT_NONE;
		break;
	default:
		break;
	}
	if (!begins(m, header->value, &uri) || m->to_tag.size == 0 ||
		header->value.size != uri.size + sizeof(";tag=") - 1 + m->to_tag.size)
		return GEN_FAULT_TO;
	add_opaque(lesson, m->to_tag);
	return GEN_FAULT_NONE;
}

/* What follows the first '@', or "sip:". The user part has been looked at. */
static enum gen_fault
check_uri(const struct gen *gen, struct lesson *lesson, const struct message *message)
{
	const struct bp_sip_message *m = &lesson->m;
	enum gen_kind kind = lesson->kind;
	struct expected user = expect(message, CALLEE_USER), contact = expect(message, CALLEE_CONTACT_URI);

	if (kind == GEN_KIND_ACK || kind == GEN_KIND_BYE)
		return span_is(m, m->uri, &contact) ? GEN_FAULT_NONE : GEN_FAULT_URI;
	if (m->target.scheme != BP_URI_SIP || m->target.host.size == 0)
		return GEN_FAULT_URI;
	if (kind == GEN_KIND_REGISTER)
		return m->target.user.size == 0 ? GEN_FAULT_NONE : GEN_FAULT_URI;
	return span_is(m, m->target.user, &user) ? GEN_FAULT_NONE : GEN_FAULT_URI;
}

static enum gen_fault
check_max_forwards(const struct gen *gen, const struct lesson *lesson)
{
	const struct bp_sip_message *m = &lesson->m;
	bool hop = lesson->kind == GEN_KIND_CANCEL || lesson->kind == GEN_KIND_ACK_FINAL;

	if (m->status != 0)
		return GEN_FAULT_NONE;
	if (gen->direct)
		return m->max_forwards == 70 ? GEN_FAULT_NONE : GEN_FAULT_MAX_FORWARDS;
	return m->max_forwards > 0 && m->max_forwards < (hop ? 71 : 70) ? GEN_FAULT_NONE : GEN_FAULT_MAX_FORWARDS;
}

/* The values of the parameters: the target's. "lr" has none. */
static void
add_param_values(struct lesson *lesson, struct bp_span params)
{
	const uint8_t *bytes = lesson->m.bytes;
	uint32_t at = params.offset, end = at + params.size, equals = 0;

	for (; at <= end; at++) {
		if (at == end || bytes[at] == ';') {
			if (equals != 0)
				add_opaque(lesson, (struct bp_span){(uint16_t)equals, (uint16_t)(at - equals)});
			equals = 0;
		} else if (bytes[at] == '=' && equals == 0) {
			equals = at + 1;
		}
	}
}

static bool
check_route(struct lesson *lesson, struct bp_span element)
{
	const uint8_t *bytes = lesson->m.bytes;
	struct bp_sip_address address;
	struct bp_sip_uri uri;

	if (!bp_sip_address_cut(bytes, element, &address) || !bp_sip_uri_cut(bytes, address.uri, &uri) || !uri.loose)
		return false;
	add_opaque(lesson, uri.user);
	add_param_values(lesson, uri.params);
	add_param_values(lesson, address.params);
	return true;
}

/* Record-Routes are loose routers' (RFC 3261 16.6 step 4); of Route nothing is left for the callee (16.4). */
static enum gen_fault
check_routes(const struct gen *gen, struct lesson *lesson)
{
	const struct bp_sip_message *m = &lesson->m;
	struct bp_sip_walk walk = {0};

	if (bp_sip_first(m, BP_SIP_ROUTE) != NULL || (gen->direct && bp_sip_first(m, BP_SIP_RECORD_ROUTE) != NULL))
		return GEN_FAULT_ROUTE;
	while (bp_sip_walk_next(m, BP_SIP_RECORD_ROUTE, &walk)) {
		if (!check_route(lesson, walk.element))
			return GEN_FAULT_ROUTE;
	}
	return GEN_FAULT_NONE;
}

static enum gen_fault
check_contact(const struct lesson *lesson, const struct message *message)
{
	const struct bp_sip_message *m = &lesson->m;
	struct expected caller = expect(message, CALLER_CONTACT), callee = expect(message, CALLEE_CONTACT);

	switch (lesson->kind) {
	case GEN_KIND_INVITE:
	case GEN_KIND_REGISTER:
		return header_is(m, BP_SIP_CONTACT, &caller) ? GEN_FAULT_NONE : GEN_FAULT_CONTACT;
	case GEN_KIND_RINGING:
	case GEN_KIND_OK:
		return header_is(m, BP_SIP_CONTACT, &callee) ? GEN_FAULT_NONE : GEN_FAULT_CONTACT;
	default:
		return GEN_FAULT_NONE;
	}
}

static enum gen_fault
check_body(const struct gen *gen, const struct lesson *lesson, uint32_t size)
{
	static const struct expected sdp = {"application/sdp", 15};
	const struct bp_sip_message *m = &lesson->m;
	const char *body = NULL;
	uint32_t body_size = 0;

	if (lesson->kind == GEN_KIND_INVITE) {
		body = gen->offer;
		body_size = gen->offer_size;
	} else if (lesson->kind == GEN_KIND_OK) {
		body = gen->answer;
		body_size = gen->answer_size;
	}
	if (m->size != size || bp_sip_first(m, BP_SIP_CONTENT_LENGTH) == NULL)
		return GEN_FAULT_LENGTH;
	if (m->body.size != body_size || (body_size > 0 && memcmp(m->bytes + m->body.offset, body, body_size) != 0))
		return GEN_FAULT_BODY;
	return body_size == 0 || header_is(m, BP_SIP_CONTENT_TYPE, &sdp) ? GEN_FAULT_NONE : GEN_FAULT_BODY;
}

/* The header lines of the file are there, as they were sent. */
static enum gen_fault
check_extra(const struct gen *gen, const struct lesson *lesson, const struct message *message)
{
	const struct bp_sip_message *m = &lesson->m;
	char text[MESSAGE_MAX];
	uint32_t size, at = 0;

	if (gen->extra == NULL || (lesson->kind != GEN_KIND_INVITE && lesson->kind != GEN_KIND_OPTIONS &&
					  lesson->kind != GEN_KIND_REGISTER))
		return GEN_FAULT_NONE;
	size = pieces_write(gen->extra, &message->writer, text, sizeof(text));
	while (at < size) {
		const char *end = memmem(text + at, size - at, "\r\n", 2);
		uint32_t line = end ? (uint32_t)(end + 2 - text) - at : size - at;

		/* a header line begins behind a line end */
		if (memmem(m->bytes, m->body_offset, text + at, line) == NULL)
			return GEN_FAULT_HEADER;
		at += line;
	}
	return GEN_FAULT_NONE;
}

/* The callee's status lines come as they were sent. */
static enum gen_fault
check_status(const struct lesson *lesson)
{
	const struct bp_sip_message *m = &lesson->m;

	if (m->status == 0)
		return GEN_FAULT_NONE;
	if (lesson->own_tag && !bp_span_is(m->bytes, m->reason, bp_sip_reason(m->status)))
		return GEN_FAULT_STATUS;
	if (m->status > 699 || (lesson->kind == GEN_KIND_OK && m->status != 200))
		return GEN_FAULT_STATUS;
	return GEN_FAULT_NONE;
}

static enum gen_fault
check_all(struct gen *gen, struct lesson *lesson, const struct message *message, uint32_t size)
{
	enum gen_fault fault;

	if ((fault = check_vias(gen, lesson, message)) != GEN_FAULT_NONE ||
		(fault = check_from_and_cseq(gen, lesson, message)) != GEN_FAULT_NONE ||
		(fault = check_to(gen, lesson, message)) != GEN_FAULT_NONE ||
		(fault = check_status(lesson)) != GEN_FAULT_NONE)
		return fault;
	if (lesson->m.status == 0 && (fault = check_uri(gen, lesson, message)) != GEN_FAULT_NONE)
		return fault;
	if ((fault = check_max_forwards(gen, lesson)) != GEN_FAULT_NONE ||
		(fault = check_routes(gen, lesson)) != GEN_FAULT_NONE ||
		(fault = check_contact(lesson, message)) != GEN_FAULT_NONE ||
		(fault = check_body(gen, lesson, size)) != GEN_FAULT_NONE)
		return fault;
	return check_extra(gen, lesson, message);
}

/* The number in a Call-ID of this run. */
static bool
read_call_id(const struct gen *gen, const struct bp_sip_message *m, uint64_t *number)
{
	const uint8_t *bytes = m->bytes + m->call_id.offset;
	struct number_text text;

	if (m->call_id.size != NUMBER_SIZE + 1 + strlen(gen->run) || bytes[NUMBER_SIZE] != '-' ||
		memcmp(bytes + NUMBER_SIZE + 1, gen->run, strlen(gen->run)) != 0)
		return false;
	*number = number_read(bytes);
	text = number_write(*number);
	return number_is(bytes, &text);
}

bool
rules_branch(const struct gen *gen, const struct shape *shape, const struct call *call, const uint8_t *bytes)
{
	const struct block *block;
	const struct shape *invite;

	if (call->callee_block == BLOCK_NONE)
		return true; /* repeated, when everything was over */
	block = &gen->calls.blocks[call->callee_block];
	invite = &gen->shapes[block->shape];
	if (invite->branch_size != shape->branch_size)
		return false;
	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct field *field = &shape->fields[i];
		uint32_t at = field->kept - shape->branch_kept;

		if (field->kind == FIELD_OPAQUE && field->kept >= shape->branch_kept && at < shape->branch_size &&
			memcmp(bytes + field->at, block->bytes + invite->branch_kept + at, field->size) != 0)
			return false;
	}
	return true;
}

enum verdict
rules_check(struct gen *gen, enum side_id side, const struct frame_in *in, struct message *message,
	enum gen_fault *fault)
{
	struct lesson *lesson = gen->lesson;
	struct bp_sip_message *m = &lesson->m;
	uint64_t number;
	struct call *call;

	*fault = GEN_FAULT_PARSE;
	if (bp_sip_parse(m, in->bytes, in->size, NULL) != BP_SIP_FAULT_NONE || m->bytes != in->bytes)
		return MESSAGE_WRONG;
	*fault = GEN_FAULT_CALL_ID;
	if (!read_call_id(gen, m, &number))
		return m->status == 0 && m->method == BP_METHOD_OPTIONS ? MESSAGE_PING : MESSAGE_WRONG;
	call = call_find(&gen->calls, number);
	if (call == NULL)
		return MESSAGE_LATE;
	message->call = call;
	message_writer(gen, call, &message->writer);
	if (side == CALLEE)
		message->writer.trunk = &gen->sides[CALLEE].places[in->place];
	lesson->side = side;
	lesson->opaque.count = 0;
	lesson->branch = (struct bp_span){0, 0};
	*fault = GEN_FAULT_UNKNOWN;
	if ((m->status != 0) != (side == CALLER) || (m->status != 0 && !response_kind(m, &lesson->kind)) ||
		(m->status == 0 && !request_kind(m, call, &lesson->kind)))
		return MESSAGE_WRONG;
	*fault = GEN_FAULT_FRAME;
	if (!place_fits(call, side, in->place))
		return MESSAGE_WRONG;
	*fault = check_all(gen, lesson, message, in->size);
	return *fault == GEN_FAULT_NONE ? MESSAGE_GOOD : MESSAGE_WRONG;
}
