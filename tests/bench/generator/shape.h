/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shapes: how messages are known without being parsed. The first message of a form is parsed and checked by all rules
 * (rules.c); what was found becomes a shape (learn.c), and every further message of its size is compared with it
 * whole: constant bytes with those of the first, each varying field by its own rule. What fits no shape
 * is parsed and checked like a first one.
 */
#ifndef BYEPASS_BENCH_SHAPE_H
#define BYEPASS_BENCH_SHAPE_H

#include "generator/frame.h"
#include "generator/state.h"

#include "sip/message.h"

/* A message of an open call that passed every check. */
struct message {
	const uint8_t *bytes;
	struct shape *shape;
	struct call *call;
	uint16_t place;
	struct writer writer; /* for what is sent because of it */
};

enum verdict {
	MESSAGE_GOOD,
	MESSAGE_LATE,    /* its call is over */
	MESSAGE_PING,    /* an OPTIONS request that is not of a call */
	MESSAGE_WRONG,   /* *fault says why; @message->call, when it is known */
	MESSAGE_REFUSED, /* right, but there is no place for a shape */
};

/* Everything that is known of a message while it is checked. */
struct lesson {
	struct bp_sip_message m;
	enum side_id side;
	enum gen_kind kind;
	bool own_tag;
	struct span_list {
		unsigned count;
		struct bp_span spans[SHAPE_FIELDS_MAX];
	} opaque;            /* what is the target's own in it */
	struct bp_span branch; /* of them: the target's branch */
	uint8_t paint[MESSAGE_MAX]; /* of each byte: field number + 1, or 0 */
	struct field fields[SHAPE_FIELDS_MAX];
	unsigned field_count;
};

/* Checks a message, by shape or in full. */
enum verdict message_check(struct gen *gen, enum side_id side, const struct frame_in *in, struct message *message,
	enum gen_fault *fault);

/* Copies the opaque fields out; @kept has room for shape->kept_size. */
static inline void
shape_keep(const struct shape *shape, const uint8_t *bytes, uint8_t *kept)
{
	kept[0] = 0; /* there may be none */
	for (unsigned i = 0; i < shape->field_count; i++) {
		if (shape->fields[i].kind == FIELD_OPAQUE)
			copy_field(kept + shape->fields[i].kept, bytes + shape->fields[i].at, shape->fields[i].size);
	}
}

/* The call's places: the callee's is the one that its first message came to. */
bool place_fits(const struct call *call, enum side_id side, uint16_t place);

/* rules.c: parses the message, finds its call and checks all. MESSAGE_GOOD fills the lesson in. */
enum verdict rules_check(struct gen *gen, enum side_id side, const struct frame_in *in, struct message *message,
	enum gen_fault *fault);
/* Whether the branch of a CANCEL, or of the ACK to a final response, is that of the INVITE. */
bool rules_branch(const struct gen *gen, const struct shape *shape, const struct call *call, const uint8_t *bytes);

/* For what is sent in the name of the call. */
void message_writer(const struct gen *gen, const struct call *call, struct writer *writer);

/* learn.c: makes a shape of the lesson; NULL: no place. */
struct shape *learn(struct gen *gen, const struct message *message, uint32_t size);
int shapes_create(struct gen *gen);
void shapes_free(struct gen *gen);

#endif
