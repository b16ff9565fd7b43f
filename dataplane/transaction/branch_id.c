/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing and reading the branch of our own Via.
 */
#include "transaction/branch_id.h"

#include <string.h>

enum { PREFIX = 9, INDEX = 9, GENERATION = 17, BRANCH = 25, CHECK = 26 };

/* The lowest eight nibbles of @value as bytes, the highest first in memory. */
static uint64_t
spread(uint64_t value)
{
	uint64_t x = value & 0xffffffff;

	x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
	x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

/* Eight digits. */
static inline void
write_eight(uint64_t value, char *out)
{
	uint64_t x = spread(value);
	uint64_t letters = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101); /* from 10 on */

	x += UINT64_C(0x3030303030303030) + letters * ('a' - 10 - '0');
	memcpy(out, &x, 8);
}

static inline bool
read_eight(const char *text, uint64_t *value)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
	uint64_t x, folded, digit, letter;

	memcpy(&x, text, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	if ((x & high) != 0)
		return false;
	folded = x | ones * 0x20; /* tokens may change case on their way, 7.3.1 */
	/* a byte's highest bit: in the range */
	digit = (x + ones * (0x80 - '0')) & ~(x + ones * (0x7f - '9')) & high;
	letter = (folded + ones * (0x80 - 'a')) & ~(folded + ones * (0x7f - 'f')) & high;
	if ((digit | letter) != high)
		return false;
	x = (x & ones * 0x0f) + (letter >> 7) * 9;
	x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
	*value = (x | x >> 16) & 0xffffffff;
	return true;
}

void
bp_hex_write(uint64_t value, unsigned digits, char *out)
{
	for (; digits >= 8; digits -= 8, value >>= 32)
		write_eight(value, out + digits - 8);
	for (unsigned i = digits; i-- > 0; value >>= 4)
		out[i] = "0123456789abcdef"[value & 15];
}

bool
bp_hex_read(const char *text, unsigned digits, uint64_t *value)
{
	uint64_t sum = 0, part;
	unsigned i = 0;

	for (; digits - i >= 8; i += 8) {
		if (!read_eight(text + i, &part))
			return false;
		sum = sum << 32 | part;
	}
	for (; i < digits; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			sum = sum << 4 | (uint64_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			sum = sum << 4 | (uint64_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*value = sum;
	return true;
}

static inline uint64_t
check(const struct bp_hash_key *key, struct bp_branch_id id)
{
	uint32_t words[3] = {id.index, id.generation, id.branch};

	return bp_hash64(key, words, sizeof(words));
}

void
bp_branch_id_write(const struct bp_hash_key *key, struct bp_branch_id id, char *out)
{
	uint64_t sum;

	memcpy(out, BP_BRANCH_ID_PREFIX, PREFIX);
	write_eight(id.index, out + INDEX);
	write_eight(id.generation, out + GENERATION);
	out[BRANCH] = "0123456789abcdef"[id.branch & 15];
	sum = check(key, id);
	write_eight(sum >> 32, out + CHECK);
	write_eight(sum, out + CHECK + 8);
}

/* *sum: the check as it was written. */
static bool
parse(const char *text, unsigned size, struct bp_branch_id *id, uint64_t *sum)
{
	uint64_t index, generation, branch, high, low;

	if (size != BP_BRANCH_ID_SIZE || memcmp(text, BP_BRANCH_ID_PREFIX, PREFIX) != 0)
		return false;
	if (!read_eight(text + INDEX, &index) || !read_eight(text + GENERATION, &generation) ||
		!bp_hex_read(text + BRANCH, 1, &branch) || !read_eight(text + CHECK, &high) ||
		!read_eight(text + CHECK + 8, &low))
		return false;
	*id = (struct bp_branch_id){(uint32_t)index, (uint32_t)generation, (uint8_t)branch};
	*sum = high << 32 | low;
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
