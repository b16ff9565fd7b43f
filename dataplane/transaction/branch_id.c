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

/* The bytes that are checked. */
struct checked {
	uint32_t index, generation, branch, zero;
};

static inline struct checked
checked(struct bp_branch_id id)
{
	return (struct checked){id.index, id.generation, id.branch, 0};
}

static inline bool
has_prefix(const char *text)
{
	static const char prefix[] = BP_BRANCH_ID_PREFIX;
	uint64_t a, b;

	memcpy(&a, text, 8);
	memcpy(&b, prefix, 8);
	return a == b && text[8] == prefix[8];
}

static inline int
digit_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#if BP_PRF_VECTORS

/* Sixteen digits as a number. */
static inline BP_PRF_TARGET bool
read_sixteen(const char *text, uint64_t *value)
{
	__m128i x = _mm_loadu_si128((const __m128i *)text);
	__m128i digit = _mm_sub_epi8(x, _mm_set1_epi8('0'));
	__m128i letter = _mm_sub_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	__m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
	__m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);

	if (!_mm_test_all_ones(_mm_or_si128(is_digit, is_letter)))
		return false;
	x = _mm_blendv_epi8(_mm_add_epi8(letter, _mm_set1_epi8(10)), digit, is_digit);
	x = _mm_maddubs_epi16(x, _mm_set1_epi16(0x0110)); /* two digits a byte */
	x = _mm_packus_epi16(x, x);
	*value = __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(x));
	return true;
}

static inline BP_PRF_TARGET void
write_sixteen(uint64_t value, char *out)
{
	const __m128i digits = _mm_setr_epi8(
		'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f');
	__m128i low = _mm_cvtsi64_si128((int64_t)__builtin_bswap64(value));
	__m128i high = _mm_srli_epi16(low, 4), mask = _mm_set1_epi8(15);

	low = _mm_unpacklo_epi8(_mm_and_si128(high, mask), _mm_and_si128(low, mask));
	_mm_storeu_si128((__m128i *)out, _mm_shuffle_epi8(digits, low));
}

static inline BP_PRF_TARGET uint64_t
check_vectors(const struct bp_prf_key *key, struct bp_branch_id id)
{
	return bp_prf64_aes(key, _mm_setr_epi32((int)id.index, (int)id.generation, id.branch, 0));
}

static BP_PRF_TARGET void
write_vectors(const struct bp_prf_key *key, struct bp_branch_id id, char *out)
{
	memcpy(out, BP_BRANCH_ID_PREFIX, PREFIX);
	write_sixteen((uint64_t)id.index << 32 | id.generation, out + INDEX);
	out[BRANCH] = "0123456789abcdef"[id.branch & 15];
	write_sixteen(check_vectors(key, id), out + CHECK);
}

static BP_PRF_TARGET bool
read_vectors(const struct bp_prf_key *key, const char *text, struct bp_branch_id *id)
{
	int branch = digit_value((uint8_t)text[BRANCH]);
	uint64_t place, sum;

	if (!has_prefix(text) || branch < 0 || !read_sixteen(text + INDEX, &place) || !read_sixteen(text + CHECK, &sum))
		return false;
	*id = (struct bp_branch_id){(uint32_t)(place >> 32), (uint32_t)place, (uint8_t)branch};
	return sum == check_vectors(key, *id);
}

#endif

void
bp_branch_id_write(const struct bp_prf_key *key, struct bp_branch_id id, char *out)
{
	struct checked bytes = checked(id);
	uint64_t sum;

#if BP_PRF_VECTORS
	if (key->vectors) {
		write_vectors(key, id, out);
		return;
	}
#endif
	memcpy(out, BP_BRANCH_ID_PREFIX, PREFIX);
	write_eight(id.index, out + INDEX);
	write_eight(id.generation, out + GENERATION);
	out[BRANCH] = "0123456789abcdef"[id.branch & 15];
	sum = bp_prf64(key, &bytes);
	write_eight(sum >> 32, out + CHECK);
	write_eight(sum, out + CHECK + 8);
}

/* *sum: the check as it was written. */
static bool
parse(const char *text, unsigned size, struct bp_branch_id *id, uint64_t *sum)
{
	uint64_t index, generation, high, low;
	int branch;

	if (size != BP_BRANCH_ID_SIZE || !has_prefix(text))
		return false;
	branch = digit_value((uint8_t)text[BRANCH]);
	if (branch < 0 || !read_eight(text + INDEX, &index) || !read_eight(text + GENERATION, &generation) ||
		!read_eight(text + CHECK, &high) || !read_eight(text + CHECK + 8, &low))
		return false;
	*id = (struct bp_branch_id){(uint32_t)index, (uint32_t)generation, (uint8_t)branch};
	*sum = high << 32 | low;
	return true;
}

bool
bp_branch_id_read(const struct bp_prf_key *key, const char *text, unsigned size, struct bp_branch_id *id)
{
	struct checked bytes;
	uint64_t sum;

#if BP_PRF_VECTORS
	if (key->vectors)
		return size == BP_BRANCH_ID_SIZE && read_vectors(key, text, id);
#endif
	if (!parse(text, size, id, &sum))
		return false;
	bytes = checked(*id);
	return sum == bp_prf64(key, &bytes);
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
