/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SipHash-2-4 in pieces: whole words are compressed as they come, what is left of a piece
 * waits in `tail`.
 */
#include "transaction/keyed_hash.h"

#include <string.h>

/* "somepseudorandomlygeneratedbytes" */
#define INITIAL_0 UINT64_C(0x736f6d6570736575)
#define INITIAL_1 UINT64_C(0x646f72616e646f6d)
#define INITIAL_2 UINT64_C(0x6c7967656e657261)
#define INITIAL_3 UINT64_C(0x7465646279746573)

static inline uint64_t
rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void
round_one(struct bp_hash *h)
{
	h->v0 += h->v1;
	h->v1 = rotate(h->v1, 13) ^ h->v0;
	h->v0 = rotate(h->v0, 32);
	h->v2 += h->v3;
	h->v3 = rotate(h->v3, 16) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = rotate(h->v3, 21) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = rotate(h->v1, 17) ^ h->v2;
	h->v2 = rotate(h->v2, 32);
}

static inline void
compress(struct bp_hash *h, uint64_t word)
{
	h->v3 ^= word;
	round_one(h);
	round_one(h);
	h->v0 ^= word;
}

/* Little-endian, so that tokens signed on one machine are checked on any other. */
static inline uint64_t
load64(const void *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

struct bp_hash_key
bp_hash_key_load(const uint8_t bytes[16])
{
	return (struct bp_hash_key){.k0 = load64(bytes), .k1 = load64(bytes + 8)};
}

void
bp_hash_begin(struct bp_hash *h, const struct bp_hash_key *key, int bits)
{
	h->wide = bits == 128 ? 0xee : 0;
	h->v0 = key->k0 ^ INITIAL_0;
	h->v1 = key->k1 ^ INITIAL_1 ^ h->wide;
	h->v2 = key->k0 ^ INITIAL_2;
	h->v3 = key->k1 ^ INITIAL_3;
	h->tail = 0;
	h->total = 0;
}

static inline void
add_byte(struct bp_hash *h, uint8_t byte)
{
	h->tail |= (uint64_t)byte << (8 * (h->total & 7));
	if ((++h->total & 7) == 0) {
		compress(h, h->tail);
		h->tail = 0;
	}
}

void
bp_hash_add(struct bp_hash *h, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size > 0 && (h->total & 7) != 0) {
		add_byte(h, *p++);
		size--;
	}
	while (size >= 8) {
		compress(h, load64(p));
		h->total += 8;
		p += 8;
		size -= 8;
	}
	while (size-- > 0)
		add_byte(h, *p++);
}

void
bp_hash_end(struct bp_hash *h, uint64_t *out)
{
	compress(h, h->tail | h->total << 56);
	h->v2 ^= h->wide ? 0xee : 0xff;
	for (int i = 0; i < 4; i++)
		round_one(h);
	out[0] = h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
	if (!h->wide)
		return;
	h->v1 ^= 0xdd;
	for (int i = 0; i < 4; i++)
		round_one(h);
	out[1] = h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}

#define ROUND(a, b, c, d)                                                                                     \
	do {                                                                                                   \
		a += b;                                                                                        \
		c += d;                                                                                        \
		b = rotate(b, 13) ^ a;                                                                         \
		d = rotate(d, 16) ^ c;                                                                         \
		a = rotate(a, 32) + d;                                                                         \
		c += b;                                                                                        \
		d = rotate(d, 21) ^ a;                                                                         \
		b = rotate(b, 17) ^ c;                                                                         \
		c = rotate(c, 32);                                                                             \
	} while (0)

/* The same in registers. */
uint64_t
bp_hash64(const struct bp_hash_key *key, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint64_t v0 = key->k0 ^ INITIAL_0, v1 = key->k1 ^ INITIAL_1, v2 = key->k0 ^ INITIAL_2, v3 = key->k1 ^ INITIAL_3;
	uint64_t word, total = size;

	for (; size >= 8; p += 8, size -= 8) {
		word = load64(p);
		v3 ^= word;
		ROUND(v0, v1, v2, v3);
		ROUND(v0, v1, v2, v3);
		v0 ^= word;
	}
	word = total << 56;
	if (total >= 8 && size > 0) /* with what is before them, which goes */
		word |= load64(p + size - 8) >> (64 - 8 * size);
	else
		for (size_t i = 0; i < size; i++)
			word |= (uint64_t)p[i] << 8 * i;
	v3 ^= word;
	ROUND(v0, v1, v2, v3);
	ROUND(v0, v1, v2, v3);
	v0 ^= word;
	v2 ^= 0xff;
	ROUND(v0, v1, v2, v3);
	ROUND(v0, v1, v2, v3);
	ROUND(v0, v1, v2, v3);
	ROUND(v0, v1, v2, v3);
	return v0 ^ v1 ^ v2 ^ v3;
}
