/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The variants of comparing and copying. See compare.h.
 */
#include "generator/compare.h"

#include <stddef.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Bit h of row l: the byte h << 4 | l may stand in an opaque field. */
#define BIT(byte, l) (((byte) & 15) == (l) ? 1 << ((byte) >> 4) : 0)
#define ROW(l) \
	((l) >= 0 && (l) <= 9 ? 1 << 3 : 0) | ((l) >= 1 ? 1 << 4 | 1 << 6 : 0) | ((l) <= 10 ? 1 << 5 | 1 << 7 : 0) | \
		BIT('-', l) | BIT('.', l) | BIT('_', l) | BIT('~', l) | BIT('!', l) | BIT('*', l) | BIT('\'', l) | \
		BIT('+', l) | BIT('%', l) | BIT('=', l) | BIT('$', l) | BIT('&', l) | BIT('/', l)

static const uint8_t rows[16] __attribute__((aligned(16))) = {ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5),
	ROW(6), ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15)};

static bool
always(void)
{
	return true;
}

static bool
masked_plain(const uint8_t *bytes, const uint8_t *expected, const uint8_t *mask, uint32_t size)
{
	for (uint32_t at = 0; at < size; at += COMPARE_STEP) {
		uint64_t different = 0;

		for (uint32_t i = at; i < at + COMPARE_STEP; i += 8) {
			uint64_t word, is, where;

			memcpy(&word, bytes + i, 8);
			memcpy(&is, expected + i, 8);
			memcpy(&where, mask + i, 8);
			different |= (word ^ is) & where;
		}
		if (different != 0)
			return false;
	}
	return true;
}

static bool
opaque_plain(const uint8_t *bytes, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++) {
		if (bytes[i] >= 0x80 || !(rows[bytes[i] & 15] >> (bytes[i] >> 4) & 1))
			return false;
	}
	return true;
}

static void
copy_plain(uint8_t *to, const uint8_t *from, uint32_t size)
{
	memcpy(to, from, (size + COMPARE_STEP - 1) & ~(COMPARE_STEP - 1u));
}

static const struct compare plain = {"plain", always, masked_plain, opaque_plain, copy_plain};

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2")))

static bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool
has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl");
}

AVX2 static inline __m256i
difference(const uint8_t *bytes, const uint8_t *expected, const uint8_t *mask)
{
	__m256i word = _mm256_loadu_si256((const __m256i *)bytes);

	return _mm256_xor_si256(_mm256_and_si256(word, _mm256_load_si256((const __m256i *)mask)),
		_mm256_load_si256((const __m256i *)expected));
}

AVX2 static bool
masked_avx2(const uint8_t *bytes, const uint8_t *expected, const uint8_t *mask, uint32_t size)
{
	__m256i low = difference(bytes, expected, mask), high = difference(bytes + 32, expected + 32, mask + 32);

	/* the first step tells most messages of the same size apart */
	if (!_mm256_testz_si256(low, low))
		return false;
	for (uint32_t at = COMPARE_STEP; at < size; at += COMPARE_STEP) {
		low = _mm256_or_si256(low, difference(bytes + at, expected + at, mask + at));
		high = _mm256_or_si256(high, difference(bytes + at + 32, expected + at + 32, mask + at + 32));
	}
	low = _mm256_or_si256(low, high);
	return _mm256_testz_si256(low, low);
}

/* A byte is looked up by its lower half; the bit that its upper half names must be set. */
AVX2 static inline bool
are_opaque(__m128i bytes)
{
	const __m128i bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
	__m128i half = _mm_set1_epi8(0x0f), row, bit;

	row = _mm_shuffle_epi8(_mm_load_si128((const __m128i *)rows), _mm_and_si128(bytes, half));
	bit = _mm_shuffle_epi8(bits, _mm_and_si128(_mm_srli_epi16(bytes, 4), half));
	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(row, bit), _mm_setzero_si128())) == 0;
}

AVX2 static bool
opaque_avx2(const uint8_t *bytes, uint32_t size)
{
	bool all;

	if (size < 16)
		return opaque_plain(bytes, size);
	all = are_opaque(_mm_loadu_si128((const __m128i *)(bytes + size - 16)));
	for (uint32_t i = 0; i + 16 < size; i += 16)
		all &= are_opaque(_mm_loadu_si128((const __m128i *)(bytes + i)));
	return all;
}

AVX2 static void
copy_avx2(uint8_t *to, const uint8_t *from, uint32_t size)
{
	for (uint32_t at = 0; at < size; at += COMPARE_STEP) {
		__m256i low = _mm256_load_si256((const __m256i *)(from + at));
		__m256i high = _mm256_load_si256((const __m256i *)(from + at + 32));

		_mm256_storeu_si256((__m256i *)(to + at), low);
		_mm256_storeu_si256((__m256i *)(to + at + 32), high);
	}
}

AVX512 static inline __m512i
difference_512(const uint8_t *bytes, const uint8_t *expected, const uint8_t *mask)
{
	return _mm512_xor_si512(_mm512_and_si512(_mm512_loadu_si512(bytes), _mm512_load_si512(mask)),
		_mm512_load_si512(expected));
}

AVX512 static bool
masked_avx512(const uint8_t *bytes, const uint8_t *expected, const uint8_t *mask, uint32_t size)
{
	__m512i low = difference_512(bytes, expected, mask), high = _mm512_setzero_si512();
	uint32_t at = COMPARE_STEP;

	if (_mm512_test_epi64_mask(low, low) != 0)
		return false;
	for (; at + COMPARE_STEP < size; at += 2 * COMPARE_STEP) {
		low = _mm512_or_si512(low, difference_512(bytes + at, expected + at, mask + at));
		high = _mm512_or_si512(
			high, difference_512(bytes + at + 64, expected + at + 64, mask + at + 64));
	}
	if (at < size)
		low = _mm512_or_si512(low, difference_512(bytes + at, expected + at, mask + at));
	low = _mm512_or_si512(low, high);
	return _mm512_test_epi64_mask(low, low) == 0;
}

AVX512 static void
copy_avx512(uint8_t *to, const uint8_t *from, uint32_t size)
{
	for (uint32_t at = 0; at < size; at += COMPARE_STEP)
		_mm512_storeu_si512(to + at, _mm512_load_si512(from + at));
}

static const struct compare avx2 = {"avx2", has_avx2, masked_avx2, opaque_avx2, copy_avx2};
static const struct compare avx512 = {"avx512", has_avx512, masked_avx512, opaque_avx2, copy_avx512};
#endif

const struct compare *const compare_variants[] = {
#if defined(__x86_64__)
	&avx512,
	&avx2,
#endif
	&plain,
	NULL,
};

const struct compare *
compare_choose(void)
{
	const struct compare *const *variant = compare_variants;

	while (!(*variant)->supported())
		variant++;
	return *variant;
}
