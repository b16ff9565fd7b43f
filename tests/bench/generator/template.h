/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Templates: messages ready to be sent, frame and all, but for a few fields of fixed size that are patched after one
 * copy: the call's number, the text of its places, and opaque bytes of the target's that were kept.
 */
#ifndef BYEPASS_BENCH_TEMPLATE_H
#define BYEPASS_BENCH_TEMPLATE_H

#include "generator/generator.h"
#include "generator/number.h"

#define MESSAGE_MAX 1856 /* bytes of SIP that are sent or received */
#define HEADERS_SIZE 42  /* Ethernet, IPv4 without options, UDP */
#define TEMPLATE_PATCHES_MAX 24

enum field_kind {
	FIELD_NUMBER, /* of the call */
	FIELD_SOURCE, /* address and port of the caller's place, as text */
	FIELD_TRUNK,  /* of the callee's */
	FIELD_OPAQUE, /* the target's own; kept */
};

struct patch {
	uint16_t at;   /* in the frame */
	uint16_t size;
	uint16_t kept; /* FIELD_OPAQUE: where in what is kept */
	uint8_t kind;  /* enum field_kind */
};

struct template {
	uint16_t size; /* of the frame */
	uint8_t kind;  /* enum gen_kind */
	uint8_t number_count, patch_count;
	uint32_t sum; /* of its IPv4 header, but for the sender's address */
	uint16_t numbers[TEMPLATE_PATCHES_MAX]; /* where in the frame */
	struct patch patches[TEMPLATE_PATCHES_MAX];
	uint8_t frame[(HEADERS_SIZE + MESSAGE_MAX + 63) / 64 * 64] __attribute__((aligned(64)));
};

/* An address and UDP port of an end. */
struct place {
	uint32_t ip_be;
	uint16_t udp_be;
	uint16_t text_size;
	uint32_t sum; /* of the address, for the IPv4 header's checksum */
	char text[24];
};

/* A call in whose name a message is written. */
struct writer {
	const struct place *source, *trunk;
	struct number_text number;
};

/* Building: begin, put piece after piece, end. What does not fit makes the end fail. An end with one place only has its
 * text written at once, in a larger number of places it is a field. */
struct builder {
	struct template *template;
	const struct place *source, *trunk; /* the first ones */
	bool sources, trunks;               /* there are more */
	uint32_t at;                        /* in the frame */
	bool failed;
};

/* The places of @builder are filled in. */
void builder_begin(struct builder *builder, struct template *template, enum gen_kind kind);
void builder_bytes(struct builder *builder, const void *bytes, uint32_t size);
void builder_text(struct builder *builder, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A field; @kept only of FIELD_OPAQUE. */
void builder_field(struct builder *builder, enum field_kind kind, uint32_t size, uint32_t kept);
/* Text with fields in it. */
#define NUMBER "\1"
#define SOURCE "\2"
#define TRUNK "\3"
void builder_pieces(struct builder *builder, const char *text);
/* Writes such text out for a call; returns its size, at most @room. */
uint32_t pieces_write(const char *text, const struct writer *writer, char *out, uint32_t room);
bool builder_end(struct builder *builder);

/* Copies a field by overlapping vectors; no byte beside it is touched. */
static inline void
copy_field(uint8_t *to, const uint8_t *from, uint32_t size)
{
	if (size >= NUMBER_SIZE) {
		uint32_t last = size - NUMBER_SIZE;

		for (uint32_t at = 0; at < last; at += NUMBER_SIZE)
			memcpy(to + at, from + at, NUMBER_SIZE);
		memcpy(to + last, from + last, NUMBER_SIZE);
		return;
	}
	if (size >= 8) {
		uint64_t first, last;

		memcpy(&first, from, 8);
		memcpy(&last, from + size - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + size - 8, &last, 8);
		return;
	}
	for (uint32_t at = 0; at < size; at++)
		to[at] = from[at];
}

#endif
