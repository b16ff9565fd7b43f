/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The key of a digest, and its long parts.
 */
#include "transaction/digest.h"

void
bp_digest_key_make(struct bp_digest_key *key, const struct bp_hash_key *root, uint8_t domain)
{
	for (uint64_t i = 0; i < BP_DIGEST_WORDS + 2; i++) {
		uint8_t name[9] = {domain};

		for (unsigned byte = 0; byte < 8; byte++)
			name[1 + byte] = (uint8_t)(i >> 8 * byte);
		if (i < BP_DIGEST_WORDS)
			key->words[i] = bp_hash64(root, name, sizeof(name));
		else if (i == BP_DIGEST_WORDS)
			key->long_key.k0 = bp_hash64(root, name, sizeof(name));
		else
			key->long_key.k1 = bp_hash64(root, name, sizeof(name));
	}
}

void
bp_digest_add_long(struct bp_digest *digest, const void *bytes, size_t size)
{
	struct bp_hash hash;
	uint64_t sum[2];

	bp_hash_begin(&hash, &digest->key->long_key, 128);
	bp_hash_add(&hash, bytes, size);
	bp_hash_end(&hash, sum);
	digest->sizes = digest->sizes << 16 | size;
	bp_digest_pair(digest, sum[0], sum[1]);
}
