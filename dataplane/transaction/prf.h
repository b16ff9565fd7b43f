/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A keyed function of 16 bytes that nobody outside can tell from chance: AES-128 of one block, cut to 64 bits, where
 * the CPU has instructions for it, else SipHash-2-4. What it makes lives in this process only, so that machines need
 * not agree. Pure functions; any thread. FIPS 197.
 */
#ifndef BYEPASS_TRANSACTION_PRF_H
#define BYEPASS_TRANSACTION_PRF_H

#include "transaction/keyed_hash.h"

#include <stdbool.h>

#define BP_PRF_ROUNDS 11

struct bp_prf_key {
	uint8_t rounds[BP_PRF_ROUNDS][16] __attribute__((aligned(16))); /* with AES */
	struct bp_hash_key hash;                                        /* without */
	bool vectors; /* of this key: AES, and vectors for hexadecimal digits */
};

/* @vectors: false as well where the CPU can; for tests. */
void bp_prf_key_make(struct bp_prf_key *key, const struct bp_hash_key *root, bool vectors);

uint64_t bp_prf64(const struct bp_prf_key *key, const void *block);

/* What the compiler may use in functions that are called only when key->vectors is set. */
#if defined(__x86_64__)
#define BP_PRF_VECTORS 1
#define BP_PRF_TARGET __attribute__((target("aes,sse4.1")))
#else
#define BP_PRF_VECTORS 0
#endif

#if BP_PRF_VECTORS
#include <immintrin.h>

static inline BP_PRF_TARGET uint64_t
bp_prf64_aes(const struct bp_prf_key *key, __m128i block)
{
	const __m128i *rounds = (const __m128i *)key->rounds;

	block = _mm_xor_si128(block, _mm_load_si128(&rounds[0]));
	for (int i = 1; i < BP_PRF_ROUNDS - 1; i++)
		block = _mm_aesenc_si128(block, _mm_load_si128(&rounds[i]));
	block = _mm_aesenclast_si128(block, _mm_load_si128(&rounds[BP_PRF_ROUNDS - 1]));
	return (uint64_t)_mm_cvtsi128_si64(block);
}
#endif

#endif
