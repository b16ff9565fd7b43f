/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Scanning with SSE4.2, AVX2 and AVX-512. A set is looked up by two shuffles: the low
 * nibble of each byte selects a row, the high one a bit of it, as in Mula's and Langdale's classification.
 * Each function is compiled for its own instruction set; scan.c chooses at run time.
 */
#include "sip/scan_block.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET_SSE42 __attribute__((target("sse4.2,popcnt")))
#define TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2,bmi,bmi2,popcnt,lzcnt")))
#define INLINE static inline __attribute__((always_inline))

/* Which bit of a row a high nibble stands for. Bytes over 0x7f get a bit too, but an empty row. */
#define BITS 1, 2, 4, 8, 16, 32, 64, -128, -1, -1, -1, -1, -1, -1, -1, -1

/* The low @count bits; 0 to 64. */
INLINE uint64_t
low_bits(uint32_t count)
{
	return count >= 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
}

/* SSE4.2: 16 bytes at a time */

static bool
sse42_supported(void)
{
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
}

TARGET_SSE42 INLINE uint64_t
sse42_16(const uint8_t *p, const struct bp_scan_set *set)
{
	__m128i rows = _mm_loadu_si128((const __m128i *)set->rows);
	__m128i bytes = _mm_loadu_si128((const __m128i *)p);
	__m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
	__m128i bit = _mm_shuffle_epi8(_mm_setr_epi8(BITS), high);
	__m128i row = _mm_shuffle_epi8(rows, bytes);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(row, bit), bit));
}

TARGET_SSE42 static uint64_t
sse42_mask(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	uint32_t count = end - at < 64 ? end - at : 64, i = 0;
	uint64_t mask = 0;

	for (; i + 16 <= count; i += 16)
		mask |= sse42_16(bytes + at + i, set) << i;
	if (i == count)
		return mask;
	if (at + count >= 16) {
		/* the last 16 bytes up to the end, of which some were seen already */
		return mask | sse42_16(bytes + at + count - 16, set) >> (16 - (count - i)) << i;
	} else {
		uint8_t copy[16] = {0};

		memcpy(copy, bytes + at + i, count - i);
		return (sse42_16(copy, set) & low_bits(count - i)) << i;
	}
}

TARGET_SSE42 INLINE void
sse42_block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	uint64_t c = 0, l = 0;

	for (unsigned i = 0; i < 64; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(p + i));

		c |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'))) << i;
		l |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))) << i;
	}
	*cr = c;
	*lf = l;
}

TARGET_SSE42 static void
sse42_lines(const uint8_t *bytes, uint32_t size, struct bp_scan_lines *lines)
{
	scan_lines(bytes, size, lines, sse42_block);
}

/* AVX2: 32 bytes at a time */

static bool
avx2_supported(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

TARGET_AVX2 INLINE uint64_t
avx2_32(const uint8_t *p, __m256i rows)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)p);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
	__m256i bit = _mm256_shuffle_epi8(_mm256_setr_epi8(BITS, BITS), high);
	__m256i row = _mm256_shuffle_epi8(rows, bytes);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit));
}

TARGET_AVX2 static uint64_t
avx2_mask(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	__m256i rows = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->rows));
	uint32_t count = end - at;

	if (count > 32) {
		uint64_t mask = avx2_32(bytes + at, rows);

		if (count > 64)
			count = 64;
		/* the second half, overlapping the first when there are less than 64 */
		return mask | avx2_32(bytes + at + count - 32, rows) << (count - 32);
	}
	if (end >= 32)
		return avx2_32(bytes + end - 32, rows) >> (32 - count);
	{
		uint8_t copy[32] = {0};

		memcpy(copy, bytes + at, count);
		return avx2_32(copy, rows) & low_bits(count);
	}
}

TARGET_AVX2 INLINE void
avx2_block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
	__m256i c = _mm256_set1_epi8('\r'), l = _mm256_set1_epi8('\n');

	*cr = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c)) |
	      (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c)) << 32;
	*lf = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, l)) |
	      (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, l)) << 32;
}

TARGET_AVX2 static void
avx2_lines(const uint8_t *bytes, uint32_t size, struct bp_scan_lines *lines)
{
	scan_lines(bytes, size, lines, avx2_block);
}

/* AVX-512: 64 bytes at a time, and loads that leave out what is not there */

static bool
avx512_supported(void)
{
	return avx2_supported() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl");
}

TARGET_AVX512 static uint64_t
avx512_mask(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	__mmask64 valid = end - at < 64 ? _bzhi_u64(UINT64_MAX, end - at) : UINT64_MAX;
	__m512i rows = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)set->rows));
	__m512i bits = _mm512_broadcast_i32x4(_mm_setr_epi8(BITS));
	__m512i in = _mm512_maskz_loadu_epi8(valid, bytes + at);
	__m512i high = _mm512_and_si512(_mm512_srli_epi16(in, 4), _mm512_set1_epi8(15));

	return _mm512_mask_test_epi8_mask(
		valid, _mm512_shuffle_epi8(rows, in), _mm512_shuffle_epi8(bits, high));
}

TARGET_AVX512 INLINE void
avx512_block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	__m512i in = _mm512_loadu_si512(p);

	*cr = _mm512_cmpeq_epi8_mask(in, _mm512_set1_epi8('\r'));
	*lf = _mm512_cmpeq_epi8_mask(in, _mm512_set1_epi8('\n'));
}

TARGET_AVX512 static void
avx512_lines(const uint8_t *bytes, uint32_t size, struct bp_scan_lines *lines)
{
	scan_lines(bytes, size, lines, avx512_block);
}

const struct bp_scanner bp_scan_sse42 = {"sse4.2", sse42_supported, sse42_mask, sse42_lines};
const struct bp_scanner bp_scan_avx2 = {"avx2", avx2_supported, avx2_mask, avx2_lines};
const struct bp_scanner bp_scan_avx512 = {"avx512", avx512_supported, avx512_mask, avx512_lines};

#endif
