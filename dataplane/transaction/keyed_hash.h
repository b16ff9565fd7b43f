/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SipHash-2-4 (Aumasson and Bernstein, 2012), 64 and 128 bits, fed in pieces. Every hash
 * that an outsider's bytes go into is keyed with a secret, so that nobody can aim for one
 * bucket, forge a branch or sign a route token. Pure functions; any thread.
 */
#ifndef BYEPASS_TRANSACTION_KEYED_HASH_H
#define BYEPASS_TRANSACTION_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

struct bp_hash_key {
	uint64_t k0, k1;
};

struct bp_hash {
	uint64_t v0, v1, v2, v3;
	uint64_t tail;  /* bytes not yet compressed, lowest first */
	uint64_t total; /* bytes fed so far */
	uint64_t wide;  /* 0 or 0xee: 128-bit output */
};

struct bp_hash_key bp_hash_key_load(const uint8_t bytes[16]);

void bp_hash_begin(struct bp_hash *hash, const struct bp_hash_key *key, int bits);
void bp_hash_add(struct bp_hash *hash, const void *bytes, size_t size);

/* Ends the hash. @out: one word for 64 bits, two for 128. */
void bp_hash_end(struct bp_hash *hash, uint64_t *out);

/* All at once, 64 bits. */
uint64_t bp_hash64(const struct bp_hash_key *key, const void *bytes, size_t size);

#endif
