/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recognizing messages by shape. See shape.h.
 */
#include "generator/shape.h"

static bool
fields_fit(const struct gen *gen, const struct shape *shape, const uint8_t *bytes, const struct writer *writer)
{
	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->kind == FIELD_OPAQUE) {
			if (!gen->compare->opaque(bytes + field->at, field->size))
				return false;
		} else {
			const struct place *place = field->kind == FIELD_SOURCE ? writer->source : writer->trunk;

			if (memcmp(bytes + field->at, place->text, field->size) != 0)
				return false;
		}
	}
	return true;
}

void
message_writer(const struct gen *gen, const struct call *call, struct writer *writer)
{
	writer->source = &gen->sides[CALLER].places[call->source];
	writer->trunk = &gen->sides[CALLEE].places[call->trunk];
	writer->number = number_write(call->number);
}

bool
place_fits(const struct call *call, enum side_id side, uint16_t place)
{
	if (side == CALLER)
		return place == call->source;
	return call->callee == CALLEE_IDLE || place == call->trunk;
}

/* A message of the shape, but for what depends on its call. */
static bool
fits(struct gen *gen, struct shape *shape, const struct frame_in *in, struct message *message, enum verdict *verdict)
{
	uint64_t number = number_read(in->bytes + shape->numbers[0]);
	struct call *call = call_find(&gen->calls, number);
	struct number_text text = number_write(number);
	bool same = true;

	for (unsigned i = 0; i < shape->number_count; i++)
		same &= number_is(in->bytes + shape->numbers[i], &text);
	if (!same)
		return false;
	if (call == NULL) {
		*verdict = MESSAGE_LATE;
		return true;
	}
	if (!place_fits(call, shape->side, in->place))
		return false;
	message->writer.source = &gen->sides[CALLER].places[call->source];
	message->writer.trunk = &gen->sides[CALLEE].places[shape->side == CALLEE ? in->place : call->trunk];
	message->writer.number = text;
	if (!fields_fit(gen, shape, in->bytes, &message->writer))
		return false;
	if (shape->branch_size > 0 && (shape->kind == GEN_KIND_CANCEL || shape->kind == GEN_KIND_ACK_FINAL) &&
		!rules_branch(gen, shape, call, in->bytes))
		return false;
	message->call = call;
	message->shape = shape;
	*verdict = MESSAGE_GOOD;
	return true;
}

enum verdict
message_check(struct gen *gen, enum side_id side, const struct frame_in *in, struct message *message,
	enum gen_fault *fault)
{
	enum verdict verdict;

	message->bytes = in->bytes;
	message->place = in->place;
	message->call = NULL;
	if (in->size > MESSAGE_MAX) {
		*fault = GEN_FAULT_LENGTH;
		return MESSAGE_WRONG;
	}
	for (uint8_t i = gen->sides[side].by_size[in->size]; i != SHAPE_NONE; i = gen->shapes[i].next) {
		struct shape *shape = &gen->shapes[i];

		if (gen->compare->masked(in->bytes, shape->expected, shape->mask, shape->size) &&
			fits(gen, shape, in, message, &verdict))
			return verdict;
	}
	gen->report.slow++;
	verdict = rules_check(gen, side, in, message, fault);
	if (verdict != MESSAGE_GOOD)
		return verdict;
	message->shape = learn(gen, message, in->size);
	if (message->shape == NULL) {
		gen->report.shapes_refused++;
		return MESSAGE_REFUSED;
	}
	if ((message->shape->kind == GEN_KIND_CANCEL || message->shape->kind == GEN_KIND_ACK_FINAL) &&
		!rules_branch(gen, message->shape, message->call, in->bytes)) {
		*fault = GEN_FAULT_VIA;
		return MESSAGE_WRONG;
	}
	return MESSAGE_GOOD;
}
