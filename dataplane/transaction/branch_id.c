/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing and reading the branch of our own Via.
 */
#include "transaction/branch_id.h"

#include <string.h>

enum { PREFIX = 9, INDEX = 9, GENERATION = 17, BRANCH = 25, CHECK = 26 };

void
bp_hex_write(uint64_t value, unsigned digits, char *out)
{
	for (unsigned i = digits; i-- > 0; value >>= 4)
		out[i] = "0123456789abcdef"[value & 15];
}

bool
bp_hex_read(const char *text, unsigned digits, uint64_t *value)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < digits; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			sum = sum << 4 | (uint64_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') /* tokens may change case on their way, 7.3.1 */
			sum = sum << 4 | (uint64_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*value = sum;
	return true;
}

static uint64_t
check(const struct bp_hash_key *key, struct bp_branch_id id)
{
	uint32_t words[3] = {id.index, id.generation, id.branch};

	return bp_hash64(key, words, sizeof(words));
}

void
bp_branch_id_write(const struct bp_hash_key *key, struct bp_branch_id id, char *out)
{
	memcpy(out, BP_BRANCH_ID_PREFIX, PREFIX);
	bp_hex_write(id.index, 8, out + INDEX);
	bp_hex_write(id.generation, 8, out + GENERATION);
	bp_hex_write(id.branch, 1, out + BRANCH);
	bp_hex_write(check(key, id), 16, out + CHECK);
}

/* *sum: the check as it was written. */
static bool
parse(const char *text, unsigned size, struct bp_branch_id *id, uint64_t *sum)
{
	uint64_t index, generation, branch;

	if (size != BP_BRANCH_ID_SIZE || memcmp(text, BP_BRANCH_ID_PREFIX, PREFIX) != 0)
		return false;
	if (!bp_hex_read(text + INDEX, 8, &index) || !bp_hex_read(text + GENERATION, 8, &generation) ||
		!bp_hex_read(text + BRANCH, 1, &branch) || !bp_hex_read(text + CHECK, 16, sum))
		return false;
	*id = (struct bp_branch_id){(uint32_t)index, (uint32_t)generation, (uint8_t)branch};
	return true;
}

bool
bp_branch_id_read(const struct bp_hash_key *key, const char *text, unsigned size, struct bp_branch_id *id)
{
	uint64_t sum;

	return parse(text, size, id, &sum) && sum == check(key, *id);
}

bool
bp_branch_id_open(const char *text, unsigned size, struct bp_branch_id *id)
{
	uint64_t sum;

	return parse(text, size, id, &sum);
}

void
bp_branch_id_write_stateless(uint64_t hash, char *out)
{
	memcpy(out, BP_BRANCH_ID_STATELESS_PREFIX, PREFIX);
	bp_hex_write(hash, 16, out + PREFIX);
}
