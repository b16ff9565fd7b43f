/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The key schedule of AES-128 (FIPS 197 5.2), and the choice between it and SipHash.
 */
#include "transaction/prf.h"

#include <string.h>

#if BP_PRF_VECTORS

static inline BP_PRF_TARGET __m128i
next_round(__m128i key, __m128i assist)
{
	assist = _mm_shuffle_epi32(assist, 0xff);
	key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
	key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
	return _mm_xor_si128(key, assist);
}

static BP_PRF_TARGET void
expand(struct bp_prf_key *key, const struct bp_hash_key *root)
{
	__m128i *rounds = (__m128i *)key->rounds, last = _mm_loadu_si128((const __m128i *)root);

	_mm_store_si128(&rounds[0], last);
#define ROUND(i, constant) \
	last = next_round(last, _mm_aeskeygenassist_si128(last, constant)); \
	_mm_store_si128(&rounds[i], last)
	ROUND(1, 0x01);
	ROUND(2, 0x02);
	ROUND(3, 0x04);
	ROUND(4, 0x08);
	ROUND(5, 0x10);
	ROUND(6, 0x20);
	ROUND(7, 0x40);
	ROUND(8, 0x80);
	ROUND(9, 0x1b);
	ROUND(10, 0x36);
#undef ROUND
}

static BP_PRF_TARGET uint64_t
with_aes(const struct bp_prf_key *key, const void *block)
{
	return bp_prf64_aes(key, _mm_loadu_si128(block));
}

#endif

void
bp_prf_key_make(struct bp_prf_key *key, const struct bp_hash_key *root, bool vectors)
{
	memset(key, 0, sizeof(*key));
	key->hash = *root;
#if BP_PRF_VECTORS
	__builtin_cpu_init();
	key->vectors = vectors && __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
	if (key->vectors)
		expand(key, root);
#endif
}

uint64_t
bp_prf64(const struct bp_prf_key *key, const void *block)
{
#if BP_PRF_VECTORS
	if (key->vectors)
		return with_aes(key, block);
#endif
	return bp_hash64(&key->hash, block, 16);
}
