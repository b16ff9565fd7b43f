/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of headers and methods, recognized by a perfect hash of their first eight
 * bytes and their length, then compared as words. Private to the room. Neighbour: header_name.c has
 * the tables. RFC 3261 7.3.1 (any case), 7.3.3 and 20 (compact forms), 25.1 (methods, exact case).
 */
#ifndef BYEPASS_SIP_HEADER_NAME_H
#define BYEPASS_SIP_HEADER_NAME_H

#include "sip/message.h"

#define BP_NAME_SLOTS 128
#define BP_METHOD_SLOTS 32
#define BP_NAME_FACTOR 0x82376e6473e96b01u
#define BP_METHOD_FACTOR 0x2b0564e30f33bb33u

struct bp_name_slot {   /* 32 bytes: an index is a shift */
	char first[8];  /* the first eight bytes, lower case */
	char middle[8]; /* bytes 8 to 15 of a name longer than 16 */
	char last[8];   /* the last eight of a name longer than 8 */
	uint8_t size;
	uint8_t id;
} __attribute__((aligned(32)));

/* How a header line begins, as nearly all are written: a name of up to 14 letters, colon, one space. */
struct bp_line_slot {
	uint8_t text[16];   /* in lower case; 0xff behind it */
	uint8_t fold[16];   /* what is set in a line before it is compared: bit 5 of letters, all behind */
	uint16_t header[8]; /* added to {begin, size, begin, 0, begin, size, 0, 0}: struct bp_sip_header */
	uint8_t value;      /* offset of the value in the line */
	uint8_t id;
	uint8_t next; /* another slot for the same first four bytes; 0: none */
} __attribute__((aligned(64)));

#define BP_LINE_SLOTS 128
#define BP_LINE_FACTOR 0x9594782du

#pragma GCC visibility push(hidden) /* no detour on the way to the tables */
extern const struct bp_line_slot bp_line_slots[BP_LINE_SLOTS];
extern const struct bp_name_slot bp_name_slots[BP_NAME_SLOTS];
extern const struct bp_name_slot bp_method_slots[BP_METHOD_SLOTS];
#pragma GCC visibility pop

/* Little-endian words on every machine, so that the hash is the same. */
static inline uint64_t
bp_load8(const void *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* The first min(size, 8) bytes at @p, zeros behind them. @room: bytes that may be read, at least @size. */
static inline uint64_t
bp_load_upto8(const uint8_t *p, uint32_t size, uint32_t room)
{
	uint64_t word = 0;

	if (__builtin_expect(room >= 8, 1)) {
		word = bp_load8(p);
		return size < 8 ? word & (((uint64_t)1 << (8 * size)) - 1) : word;
	}
	for (uint32_t i = 0; i < size; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

/* Whether @word is @name when the case of letters is not looked at; @name is in lower case. */
static inline bool
bp_word_is(uint64_t word, uint64_t name)
{
	uint64_t letters = (name & 0x4040404040404040) >> 1;

	return (word | letters) == name;
}

/* enum bp_sip_header_id of a name. @room: bytes that may be read from @p on, at least @size. */
static inline uint8_t
bp_header_id(const uint8_t *p, uint32_t size, uint32_t room)
{
	uint64_t first = bp_load_upto8(p, size, room), key = first | 0x2020202020202020;
	const struct bp_name_slot *slot;

	/* the spaces that the line above put behind a short name go again */
	key = size < 8 ? key & (((uint64_t)1 << (8 * size)) - 1) : key;
	slot = &bp_name_slots[(key + size) * BP_NAME_FACTOR >> 57];
	if (slot->size != size || !bp_word_is(first, bp_load8(slot->first)))
		return BP_SIP_OTHER;
	if (size <= 8)
		return slot->id;
	if (!bp_word_is(bp_load8(p + size - 8), bp_load8(slot->last)))
		return BP_SIP_OTHER;
	if (__builtin_expect(size > 16, 0) && !bp_word_is(bp_load8(p + 8), bp_load8(slot->middle)))
		return BP_SIP_OTHER;
	return slot->id;
}

/* enum bp_method of a token. @room: as above. */
static inline uint8_t
bp_method_id(const uint8_t *p, uint32_t size, uint32_t room)
{
	uint64_t first = bp_load_upto8(p, size, room);
	const struct bp_name_slot *slot = &bp_method_slots[(first + size) * BP_METHOD_FACTOR >> 59];

	if (slot->size != size || first != bp_load8(slot->first))
		return BP_METHOD_OTHER;
	if (size > 8 && bp_load8(p + size - 8) != bp_load8(slot->last))
		return BP_METHOD_OTHER;
	return slot->id;
}

#endif
