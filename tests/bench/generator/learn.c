/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making a shape of a message that was checked in full, and the templates of what is sent because of it: pieces
 * of the message with their fields, and the generator's own text.
 */
#include "generator/messages.h"
#include "generator/shape.h"

#include <errno.h>
#include <stdlib.h>

static bool
add_field(struct lesson *lesson, enum field_kind kind, uint32_t at, uint32_t size)
{
	if (lesson->field_count == SHAPE_FIELDS_MAX)
		return false;
	lesson->fields[lesson->field_count] = (struct field){(uint16_t)at, (uint16_t)size, 0, (uint8_t)kind};
	memset(lesson->paint + at, (int)++lesson->field_count, size);
	return true;
}

/* Paints every occurrence of a text, unless something is painted there. */
static bool
paint_text(struct lesson *lesson, enum field_kind kind, const void *text, uint32_t size, uint32_t end)
{
	for (uint32_t at = 0; at + size <= end;) {
		const uint8_t *found = memmem(lesson->m.bytes + at, end - at, text, size);

		if (found == NULL)
			return true;
		at = (uint32_t)(found - lesson->m.bytes);
		if (lesson->paint[at] == 0 && lesson->paint[at + size - 1] == 0 &&
			!add_field(lesson, kind, at, size))
			return false;
		at += size;
	}
	return true;
}

/* The target's own bytes, as far as they are nothing that is known. */
static bool
paint_opaque(struct lesson *lesson, struct bp_span span)
{
	uint32_t end = (uint32_t)span.offset + span.size;

	for (uint32_t at = span.offset; at < end;) {
		uint32_t begin = at;

		if (lesson->paint[at] != 0) {
			at++;
			continue;
		}
		while (at < end && lesson->paint[at] == 0 && at - begin < 255)
			at++;
		if (!add_field(lesson, FIELD_OPAQUE, begin, at - begin))
			return false;
	}
	return true;
}

/* Which bytes vary. The body never does. */
static bool
paint(const struct gen *gen, struct lesson *lesson, const struct message *message)
{
	const struct writer *writer = &message->writer;
	uint32_t end = lesson->m.body_offset;

	memset(lesson->paint, 0, sizeof(lesson->paint));
	lesson->field_count = 0;
	if (!paint_text(lesson, FIELD_NUMBER, writer->number.bytes, NUMBER_SIZE, end))
		return false;
	if (gen->sides[CALLER].place_count > 1 &&
		!paint_text(lesson, FIELD_SOURCE, writer->source->text, writer->source->text_size, end))
		return false;
	if (gen->sides[CALLEE].place_count > 1 &&
		!paint_text(lesson, FIELD_TRUNK, writer->trunk->text, writer->trunk->text_size, end))
		return false;
	for (unsigned i = 0; i < lesson->opaque.count; i++) {
		if (!paint_opaque(lesson, lesson->opaque.spans[i]))
			return false;
	}
	return true;
}

/* Where the opaque fields go when they are kept: one after the other, in the order of their spans. */
static bool
assign_kept(struct lesson *lesson, struct shape *shape)
{
	const struct bp_span branch = lesson->branch;
	uint32_t kept = 0;

	for (unsigned i = 0; i < lesson->field_count; i++) {
		struct field *field = &lesson->fields[i];

		if (field->kind == FIELD_NUMBER) {
			shape->numbers[shape->number_count++] = field->at;
			continue;
		}
		if (field->kind == FIELD_OPAQUE) {
			if (branch.size > 0 && field->at >= branch.offset && field->at < branch.offset + branch.size) {
				if (shape->branch_size == 0)
					shape->branch_kept = (uint16_t)kept;
				shape->branch_size = (uint16_t)(shape->branch_size + field->size);
			}
			field->kept = (uint16_t)kept;
			kept += field->size;
		}
		shape->fields[shape->field_count++] = *field;
	}
	shape->kept_size = (uint16_t)kept;
	return kept <= BLOCK_BYTES && shape->number_count > 0;
}

/* A piece of the message into a template, its fields as fields. */
static void
put_span(struct builder *builder, const struct lesson *lesson, struct bp_span span)
{
	uint32_t at = span.offset, end = at + span.size;

	while (at < end) {
		uint32_t begin = at;

		if (lesson->paint[at] != 0) {
			const struct field *field = &lesson->fields[lesson->paint[at] - 1];

			builder_field(builder, (enum field_kind)field->kind, field->size, field->kept);
			at += field->size;
			continue;
		}
		while (at < end && lesson->paint[at] == 0)
			at++;
		builder_bytes(builder, lesson->m.bytes + begin, at - begin);
	}
}

/* All lines of a header, as they stand. */
static void
put_lines(struct builder *builder, const struct lesson *lesson, enum bp_sip_header_id id)
{
	const struct bp_sip_header *header = bp_sip_first(&lesson->m, id);

	for (; header != NULL; header = bp_sip_next(&lesson->m, header))
		put_span(builder, lesson, header->line);
}

static bool
end_reply(const struct gen *gen, struct builder *builder, enum side_id side)
{
	if (!builder_end(builder))
		return false;
	frame_prepare(&gen->sides[side], builder->template);
	return true;
}

/* A response of the callee (RFC 3261 8.2.6). */
static bool
make_response(struct gen *gen, struct lesson *lesson, struct template *template, enum gen_kind kind, unsigned status)
{
	bool dialog = kind == GEN_KIND_RINGING || kind == GEN_KIND_OK;
	const struct bp_sip_header *to = bp_sip_first(&lesson->m, BP_SIP_TO);
	struct builder builder;

	message_begin(gen, &builder, template, kind);
	builder_text(&builder, "SIP/2.0 %u %s\r\n", status, bp_sip_reason((uint16_t)status));
	put_lines(&builder, lesson, BP_SIP_VIA);
	if (dialog)
		put_lines(&builder, lesson, BP_SIP_RECORD_ROUTE);
	put_lines(&builder, lesson, BP_SIP_FROM);
	builder_text(&builder, "To: ");
	put_span(&builder, lesson, to->value);
	if (status != 100 && lesson->m.to_tag.size == 0)
		builder_pieces(&builder, ";tag=" TO_TAG);
	builder_text(&builder, "\r\n");
	put_lines(&builder, lesson, BP_SIP_CALL_ID);
	put_lines(&builder, lesson, BP_SIP_CSEQ);
	if (dialog)
		builder_pieces(&builder, "Contact: " CALLEE_CONTACT "\r\n");
	if (lesson->kind == GEN_KIND_REGISTER)
		builder_pieces(&builder, "Contact: " CALLER_CONTACT ";expires=" EXPIRES "\r\n");
	if (kind == GEN_KIND_OK)
		builder_text(&builder, "Content-Type: application/sdp\r\n");
	builder_text(&builder, "Content-Length: %u\r\n\r\n", kind == GEN_KIND_OK ? gen->answer_size : 0);
	if (kind == GEN_KIND_OK)
		builder_bytes(&builder, gen->answer, gen->answer_size);
	return end_reply(gen, &builder, CALLEE);
}

/* The caller's route set: the Record-Routes from below to above (RFC 3261 12.1.2). */
static void
put_route_set(struct builder *builder, const struct lesson *lesson)
{
	struct bp_span elements[SHAPE_FIELDS_MAX];
	struct bp_sip_walk walk = {0};
	unsigned count = 0;

	while (bp_sip_walk_next(&lesson->m, BP_SIP_RECORD_ROUTE, &walk)) {
		if (count == SHAPE_FIELDS_MAX) {
			builder->failed = true;
			return;
		}
		elements[count++] = walk.element;
	}
	while (count > 0) {
		builder_text(builder, "Route: ");
		put_span(builder, lesson, elements[--count]);
		builder_text(builder, "\r\n");
	}
}

/* ACK to the 200, and BYE (12.2.1.1, 13.2.2.4): by the lesson of the 200. */
static bool
make_in_dialog(struct gen *gen, struct lesson *lesson, struct template *template, enum gen_kind kind)
{
	struct builder builder;

	message_begin(gen, &builder, template, kind);
	builder_text(&builder, "%s ", method_of(kind));
	builder_pieces(&builder, CALLEE_CONTACT_URI);
	builder_text(&builder, " SIP/2.0\r\n");
	put_request_head(gen, &builder, kind);
	put_route_set(&builder, lesson);
	put_lines(&builder, lesson, BP_SIP_TO);
	put_dialog_lines(gen, &builder, kind);
	builder_text(&builder, "Content-Length: 0\r\n\r\n");
	return end_reply(gen, &builder, CALLER);
}

/* ACK to another final response (17.1.1.3): by the lesson of that. */
static bool
make_ack_final(struct gen *gen, struct lesson *lesson, struct template *template)
{
	struct builder builder;
	char uri[160];

	message_begin(gen, &builder, template, GEN_KIND_ACK_FINAL);
	request_uri(gen, GEN_KIND_INVITE, uri, sizeof(uri));
	builder_text(&builder, "ACK %s SIP/2.0\r\n", uri);
	put_request_head(gen, &builder, GEN_KIND_ACK_FINAL);
	put_lines(&builder, lesson, BP_SIP_TO);
	put_dialog_lines(gen, &builder, GEN_KIND_ACK_FINAL);
	builder_text(&builder, "Content-Length: 0\r\n\r\n");
	return end_reply(gen, &builder, CALLER);
}

static bool
make_replies(struct gen *gen, struct lesson *lesson, const struct shape *shape)
{
	struct template *const *replies = shape->replies;

	switch (lesson->kind) {
	case GEN_KIND_INVITE:
		return make_response(gen, lesson, replies[REPLY_TRYING], GEN_KIND_TRYING, 100) &&
			make_response(gen, lesson, replies[REPLY_RINGING], GEN_KIND_RINGING, 180) &&
			make_response(gen, lesson, replies[REPLY_OK], GEN_KIND_OK, 200) &&
			make_response(gen, lesson, replies[REPLY_TERMINATED], GEN_KIND_FINAL, 487);
	case GEN_KIND_BYE:
		return make_response(gen, lesson, replies[REPLY_OK_REQUEST], GEN_KIND_OK_BYE, 200);
	case GEN_KIND_CANCEL:
		return make_response(gen, lesson, replies[REPLY_OK_REQUEST], GEN_KIND_OK_CANCEL, 200);
	case GEN_KIND_OPTIONS:
	case GEN_KIND_REGISTER:
		return make_response(gen, lesson, replies[REPLY_OK_REQUEST], GEN_KIND_OK_OTHER, 200);
	case GEN_KIND_OK:
		return make_in_dialog(gen, lesson, replies[REPLY_ACK], GEN_KIND_ACK) &&
			make_in_dialog(gen, lesson, replies[REPLY_BYE], GEN_KIND_BYE);
	case GEN_KIND_FINAL:
		return make_ack_final(gen, lesson, replies[REPLY_ACK_FINAL]);
	default:
		return true;
	}
}

static void
unlink_shape(struct gen *gen, struct shape *shape)
{
	uint8_t *link = &gen->sides[shape->side].by_size[shape->size];
	uint8_t index = (uint8_t)(shape - gen->shapes);

	while (*link != index)
		link = &gen->shapes[*link].next;
	*link = shape->next;
	shape->used = false;
}

/* A free place, or that of the shape that was learned longest ago among those that no call needs. */
static struct shape *
take_place(struct gen *gen)
{
	struct shape *oldest = NULL;

	for (unsigned i = 0; i < SHAPES_MAX; i++) {
		struct shape *shape = &gen->shapes[i];

		if (!shape->used)
			return shape;
		if (shape->users == 0 && (oldest == NULL || shape->learned < oldest->learned))
			oldest = shape;
	}
	if (oldest != NULL)
		unlink_shape(gen, oldest);
	return oldest;
}

static void
fill_bytes(struct shape *shape, const struct lesson *lesson)
{
	memset(shape->expected, 0, sizeof(shape->expected));
	memset(shape->mask, 0, sizeof(shape->mask));
	for (uint32_t i = 0; i < shape->size; i++) {
		if (lesson->paint[i] != 0)
			continue;
		shape->mask[i] = 0xff;
		shape->expected[i] = lesson->m.bytes[i];
	}
}

struct shape *
learn(struct gen *gen, const struct message *message, uint32_t size)
{
	struct lesson *lesson = gen->lesson;
	struct shape *shape = take_place(gen);
	uint8_t *first;

	if (shape == NULL || !paint(gen, lesson, message))
		return NULL;
	shape->number_count = shape->field_count = 0;
	shape->branch_kept = shape->branch_size = 0;
	if (!assign_kept(lesson, shape) || !make_replies(gen, lesson, shape))
		return NULL;
	shape->size = (uint16_t)size;
	shape->status = lesson->m.status;
	shape->side = (uint8_t)lesson->side;
	shape->kind = (uint8_t)lesson->kind;
	shape->own_tag = lesson->own_tag;
	shape->users = 0;
	shape->learned = gen->report.slow;
	shape->used = true;
	fill_bytes(shape, lesson);
	first = &gen->sides[shape->side].by_size[size];
	shape->next = *first;
	*first = (uint8_t)(shape - gen->shapes);
	return shape;
}

int
shapes_create(struct gen *gen)
{
	gen->shapes = aligned_alloc(64, SHAPES_MAX * sizeof(*gen->shapes));
	gen->replies = aligned_alloc(64, (size_t)SHAPES_MAX * REPLIES_MAX * sizeof(*gen->replies));
	gen->lesson = calloc(1, sizeof(*gen->lesson));
	if (gen->shapes == NULL || gen->replies == NULL || gen->lesson == NULL)
		return -ENOMEM;
	memset(gen->shapes, 0, SHAPES_MAX * sizeof(*gen->shapes));
	for (unsigned i = 0; i < SHAPES_MAX * REPLIES_MAX; i++)
		gen->shapes[i / REPLIES_MAX].replies[i % REPLIES_MAX] = &gen->replies[i];
	return 0;
}

void
shapes_free(struct gen *gen)
{
	free(gen->shapes);
	free(gen->replies);
	free(gen->lesson);
}
