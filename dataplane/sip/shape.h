/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shapes: peers send messages that differ in names, tags, branches and numbers and stand otherwise where they stood in
 * the last one. A shape is such a message with its view. What fits a shape byte by byte, and where bytes differ has
 * others of the same set, has the same view; nothing of it need be looked for. What fits none is parsed. The result is
 * the same in each case. One worker's; no allocation.
 */
#ifndef BYEPASS_SIP_SHAPE_H
#define BYEPASS_SIP_SHAPE_H

#include "sip/message.h"

#include <stddef.h>

#define BP_SHAPE_SETS 32 /* a power of two */
#define BP_SHAPE_WAYS 4
#define BP_SHAPE_HEAD_MIN 256   /* bytes up to the body, by whose line ends a shape is found */
#define BP_SHAPE_HEAD_MAX 1024
#define BP_SHAPE_LINES_MAX 32
#define BP_SHAPE_VIEW_MAX                                                                                     \
	(((offsetof(struct bp_sip_message, headers) + BP_SHAPE_LINES_MAX * sizeof(struct bp_sip_header)) + 31) / 32 * 32)

struct bp_sip_shape {
	_Alignas(struct bp_sip_message) uint8_t view[BP_SHAPE_VIEW_MAX]; /* struct bp_sip_message, without unused headers */
	uint8_t text[BP_SHAPE_HEAD_MAX];
	uint8_t fixed[BP_SHAPE_HEAD_MAX]; /* 0xff: this byte as in text; 0: any that a host name may have */
	uint16_t view_size;               /* whole vectors of 32 bytes */
	uint16_t head_size;               /* up to the body; 0: no shape */
	struct bp_sip_limits limits;      /* that it was parsed with */
	uint16_t length_end;              /* behind the digits of Content-Length */
	uint16_t cseq_end;
	uint8_t length_digits, cseq_digits; /* 0: there is none, or it is fixed */
};

struct bp_sip_shapes {
	struct bp_shape_set {
		uint64_t keys[BP_SHAPE_WAYS];
		uint64_t candidate; /* seen once, and learnt when it is seen again */
		unsigned turn;      /* way that is learnt into next */
	} sets[BP_SHAPE_SETS];
	uint64_t found, missed;
	bool eager; /* tests: each message that fits no shape is learnt at once */
	struct bp_sip_shape shapes[BP_SHAPE_SETS][BP_SHAPE_WAYS];
};

/* As bp_sip_parse(). @shapes: zeroed at first; one thread's. */
enum bp_sip_fault bp_sip_parse_shaped(struct bp_sip_shapes *shapes, struct bp_sip_message *m, const uint8_t *bytes,
	uint32_t size, const struct bp_sip_limits *limits);

/* Private to the room: @m fits no shape of its set. */
void bp_shape_missed(struct bp_sip_shapes *shapes, uint64_t key, const struct bp_sip_message *m,
	const struct bp_sip_limits *limits);

static inline struct bp_shape_set *
bp_shape_set(struct bp_sip_shapes *shapes, uint64_t key)
{
	return &shapes->sets[key >> 59];
}
static_assert(BP_SHAPE_SETS == 32, "five bits");

#endif
