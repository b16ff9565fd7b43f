/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How the neighbour table lies in memory; for neighbour.c and create.c. The protocol of the word is told
 * at the top of neighbour.c.
 */
#ifndef BYEPASS_WIRE_NEIGHBOUR_TABLE_H
#define BYEPASS_WIRE_NEIGHBOUR_TABLE_H

#include "wire/neighbour.h"

#include <assert.h>
#include <stdatomic.h>

/*
 *  63                      16 15      12 11          0
 * +--------------------------+----------+-------------+
 * |  MAC address             |  state   | generation  |
 * +--------------------------+----------+-------------+
 */
#define BP_NEIGHBOUR_STATE_SHIFT 12
#define BP_NEIGHBOUR_GENERATION_MASK 0xfffu
#define BP_PATH_MTUS 1024
#define BP_NEIGHBOUR_WAYS 8 /* slots of a bucket */

enum bp_neighbour_slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_INCOMPLETE, SLOT_RESOLVED };

struct bp_neighbour_slot {
	_Atomic uint64_t word;
	_Atomic uint64_t ip[2];
	_Atomic uint32_t link;
	uint32_t reserved;
	_Atomic uint64_t confirmed_us; /* whoever took the reply: w */
	_Atomic uint64_t used_us;      /* any worker: w */
	/* When it was last asked for, times 4, plus how many requests went out (at most 3); the one who swaps
	 * it asks. */
	_Atomic uint64_t asked;
	uint64_t reserved_too;
};
static_assert(sizeof(struct bp_neighbour_slot) == 64, "a slot is a cache line");

struct bp_neighbours {
	uint64_t secret[2];
	uint32_t bucket_mask;
	_Atomic uint32_t resolutions;
	_Atomic uint32_t fragment;
	_Atomic uint64_t paths[BP_PATH_MTUS]; /* path_mtu.c */
	struct bp_neighbour_slot slots[] __attribute__((aligned(64)));
};

struct bp_neighbour_words { /* a key as it lies in a slot */
	uint64_t ip[2];
	uint32_t link;
};

static inline struct bp_neighbour_words
bp_neighbour_key_words(const struct bp_neighbour_key *key)
{
	struct bp_neighbour_words words = {.link = (uint32_t)key->port << 16 | key->vlan};

	memcpy(words.ip, key->ip.bytes, sizeof(words.ip));
	return words;
}

__extension__ typedef unsigned __int128 bp_uint128;

static inline uint64_t
bp_neighbour_fold(uint64_t a, uint64_t b)
{
	bp_uint128 product = (bp_uint128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
bp_neighbour_hash(const struct bp_neighbours *neighbours, const struct bp_neighbour_words *words)
{
	uint64_t h =
		bp_neighbour_fold(words->ip[0] ^ neighbours->secret[0], words->ip[1] ^ neighbours->secret[1]);

	return bp_neighbour_fold(h ^ words->link, neighbours->secret[0]);
}

#endif
