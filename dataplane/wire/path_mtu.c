/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Path MTU of IPv6 (RFC 8201): there only the sender divides, so it must know. A small direct-mapped table
 * beside the neighbours, shared like them; an entry is one atomic word and costs nothing to lose.
 */
#include "wire/neighbour_table.h"

/*
 *  63                 32 31          16 15           0
 * +---------------------+--------------+--------------+
 * |  part of the hash   |     MTU      |   2^20 us    |
 * +---------------------+--------------+--------------+
 */
#define AGE_MAX 572u /* ten minutes in units of 2^20 us; the clock of 16 bits comes round after 19 hours */

static uint16_t
clock_of(uint64_t now_us)
{
	return (uint16_t)(now_us >> 20);
}

static _Atomic uint64_t *
place_of(struct bp_neighbours *neighbours, const struct bp_neighbour_key *destination, uint32_t *tag)
{
	struct bp_neighbour_words words = bp_neighbour_key_words(destination);
	uint64_t h = bp_neighbour_hash(neighbours, &words);

	*tag = (uint32_t)(h >> 32);
	return &neighbours->paths[h % BP_PATH_MTUS];
}

static bool
is_valid(uint64_t word, uint32_t tag, uint64_t now_us)
{
	return word != 0 && (uint32_t)(word >> 32) == tag &&
	       (uint16_t)(clock_of(now_us) - (uint16_t)word) <= AGE_MAX;
}

void
bp_path_mtu_learn(struct bp_neighbours *neighbours, const struct bp_neighbour_key *destination, uint16_t mtu,
	uint64_t now_us)
{
	uint32_t tag;
	_Atomic uint64_t *place = place_of(neighbours, destination, &tag);
	uint64_t word = atomic_load_explicit(place, memory_order_relaxed);

	if (is_valid(word, tag, now_us) && (uint16_t)(word >> 16) <= mtu)
		return; /* it never grows by what a router says (RFC 8201 4) */
	atomic_store_explicit(
		place, (uint64_t)tag << 32 | (uint64_t)mtu << 16 | clock_of(now_us), memory_order_relaxed);
}

uint32_t
bp_path_mtu(struct bp_neighbours *neighbours, const struct bp_neighbour_key *destination, uint32_t mtu,
	uint64_t now_us)
{
	uint32_t tag;
	uint64_t word = atomic_load_explicit(place_of(neighbours, destination, &tag), memory_order_relaxed);

	if (is_valid(word, tag, now_us) && (uint16_t)(word >> 16) < mtu)
		return (uint16_t)(word >> 16);
	return mtu;
}
