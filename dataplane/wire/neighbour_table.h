/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How the neighbour table lies in memory; for neighbour.c and create.c. The protocol of the word is told
 * at the top of neighbour.c.
 */
#ifndef BYEPASS_WIRE_NEIGHBOUR_TABLE_H
#define BYEPASS_WIRE_NEIGHBOUR_TABLE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 *  63                      16 15      12 11          0
 * +--------------------------+----------+-------------+
 * |  MAC address             |  state   | generation  |
 * +--------------------------+----------+-------------+
 */
#define BP_NEIGHBOUR_STATE_SHIFT 12
#define BP_NEIGHBOUR_GENERATION_MASK 0xfffu
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
	struct bp_neighbour_slot slots[] __attribute__((aligned(64)));
};

#endif
