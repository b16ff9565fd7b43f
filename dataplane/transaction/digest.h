/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A keyed digest for what never leaves the process in the clear: identities in tables. NH (Black, Halevi, Krawczyk,
 * Krovetz, Rogaway: UMAC, CRYPTO 1999) on 64-bit words: two inputs meet with a chance of 2^-64 for whoever does not
 * know the key, and a multiplication takes 16 bytes. It is no PRF: what outsiders see is made by keyed_hash.h.
 * An input has up to four parts, whose sizes count, and one number. Pure functions; any thread.
 */
#ifndef BYEPASS_TRANSACTION_DIGEST_H
#define BYEPASS_TRANSACTION_DIGEST_H

#include "transaction/keyed_hash.h"

#include <string.h>

#define BP_DIGEST_PARTS 4
#define BP_DIGEST_PART_MAX 128 /* bytes of one; a longer one goes in as its keyed hash */
#define BP_DIGEST_WORDS (2 + BP_DIGEST_PARTS * (BP_DIGEST_PART_MAX / 8))

__extension__ typedef unsigned __int128 bp_u128; /* which ISO C does not have */

struct bp_digest_key {
	uint64_t words[BP_DIGEST_WORDS];
	struct bp_hash_key long_key;
};

struct bp_digest {
	bp_u128 sum;
	const struct bp_digest_key *key;
	uint64_t sizes; /* of the parts, 16 bits each */
	unsigned at;    /* of the next word of the key */
};

/* Keys with another @domain have nothing in common. */
void bp_digest_key_make(struct bp_digest_key *key, const struct bp_hash_key *root, uint8_t domain);

/* As bp_digest_add, for a part of more than BP_DIGEST_PART_MAX bytes. */
void bp_digest_add_long(struct bp_digest *digest, const void *bytes, size_t size);

static inline uint64_t
bp_digest_load(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word); /* nodes agree on it */
#endif
	return word;
}

/* Less than 8 bytes as a word; with the size, which counts apart, they are known from it. */
static inline uint64_t
bp_digest_load_few(const uint8_t *p, size_t size)
{
	uint32_t low, high;

	if (size >= 4) {
		memcpy(&low, p, 4);
		memcpy(&high, p + size - 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		low = __builtin_bswap32(low);
		high = __builtin_bswap32(high);
#endif
		return (uint64_t)high << 32 | low;
	}
	return size == 0 ? 0 : (uint64_t)p[0] | (uint64_t)p[size / 2] << 8 | (uint64_t)p[size - 1] << 16;
}

static inline void
bp_digest_pair(struct bp_digest *d, uint64_t a, uint64_t b)
{
	d->sum += (bp_u128)(a + d->key->words[d->at]) * (b + d->key->words[d->at + 1]);
	d->at += 2;
}

static inline void
bp_digest_begin(struct bp_digest *d, const struct bp_digest_key *key)
{
	d->sum = 0;
	d->key = key;
	d->sizes = 0;
	d->at = 2;
}

static inline void
bp_digest_add(struct bp_digest *d, const void *bytes, size_t size)
{
	const uint8_t *p = bytes, *end = p + size;

	if (__builtin_expect(size > BP_DIGEST_PART_MAX, 0)) {
		bp_digest_add_long(d, bytes, size);
		return;
	}
	d->sizes = d->sizes << 16 | size;
	if (size >= 16) {
		for (; end - p > 16; p += 16)
			bp_digest_pair(d, bp_digest_load(p), bp_digest_load(p + 8));
		bp_digest_pair(d, bp_digest_load(end - 16), bp_digest_load(end - 8)); /* bytes may go in twice */
	} else if (size >= 8) {
		bp_digest_pair(d, bp_digest_load(p), bp_digest_load(end - 8));
	} else if (size > 0) {
		bp_digest_pair(d, bp_digest_load_few(p, size), 0);
	}
}

/* All bits depend on all; nothing is lost (the finalizer of MurmurHash3). */
static inline uint64_t
bp_digest_mix(uint64_t x)
{
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static inline void
bp_digest_end(struct bp_digest *d, uint64_t number, uint64_t out[2])
{
	bp_u128 sum = d->sum +
		(bp_u128)(d->sizes + d->key->words[0]) * (number + d->key->words[1]);

	out[1] = bp_digest_mix((uint64_t)(sum >> 64));
	out[0] = bp_digest_mix((uint64_t)sum + out[1]);
}

static inline uint64_t
bp_digest64(const struct bp_digest_key *key, const void *bytes, size_t size)
{
	struct bp_digest digest;
	uint64_t out[2];

	bp_digest_begin(&digest, key);
	bp_digest_add(&digest, bytes, size);
	bp_digest_end(&digest, 0, out);
	return out[0];
}

/* As bp_digest_add, for at most 64 bytes (more go in with their letters as they are), ASCII letters in lower case. */
static inline void
bp_digest_add_folded(struct bp_digest *d, const void *bytes, size_t size)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f), high = UINT64_C(0x8080808080808080);
	uint64_t words[8] = {0};

	if (size > sizeof(words)) {
		bp_digest_add(d, bytes, size);
		return;
	}
	memcpy(words, bytes, size);
	for (size_t i = 0; i * 8 < size; i++) {
		uint64_t x = words[i], seven = x & low;
		/* bytes from 'A' on, and from behind 'Z' on */
		uint64_t from_a = seven + (low - UINT64_C(0x4040404040404040));
		uint64_t past_z = seven + (low - UINT64_C(0x5a5a5a5a5a5a5a5a));

		words[i] = x | ((from_a & ~past_z & ~x & high) >> 2);
	}
	bp_digest_add(d, words, size);
}

#endif
