/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A call's number as text: 16 hexadecimal digits, lower case, written and read as one vector where there are
 * any.
 */
#ifndef BYEPASS_BENCH_NUMBER_H
#define BYEPASS_BENCH_NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define NUMBER_SIZE 16

struct number_text {
	uint8_t bytes[NUMBER_SIZE];
} __attribute__((aligned(16)));

static inline struct number_text
number_write(uint64_t number)
{
	struct number_text text;
#if defined(__SSE2__)
	__m128i bytes = _mm_cvtsi64_si128((int64_t)__builtin_bswap64(number));
	__m128i mask = _mm_set1_epi8(0x0f);
	__m128i digits = _mm_unpacklo_epi8(
		_mm_and_si128(_mm_srli_epi16(bytes, 4), mask), _mm_and_si128(bytes, mask));
	__m128i letters = _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));

	_mm_store_si128((__m128i *)text.bytes,
		_mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), letters));
#else
	for (int i = NUMBER_SIZE - 1; i >= 0; i--, number >>= 4)
		text.bytes[i] = (uint8_t)"0123456789abcdef"[number & 15];
#endif
	return text;
}

/* What is no digit makes some number too: write it again and compare. */
static inline uint64_t
number_read(const uint8_t *at)
{
#if defined(__SSE2__)
	__m128i text = _mm_loadu_si128((const __m128i *)at);
	__m128i letters = _mm_cmpgt_epi8(text, _mm_set1_epi8('9'));
	__m128i digits = _mm_add_epi8(
		_mm_and_si128(text, _mm_set1_epi8(0x0f)), _mm_and_si128(letters, _mm_set1_epi8(9)));
	__m128i pairs = _mm_and_si128(
		_mm_or_si128(_mm_slli_epi16(digits, 4), _mm_srli_epi16(digits, 8)), _mm_set1_epi16(0xff));

	return __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)));
#else
	uint64_t number = 0;

	for (int i = 0; i < NUMBER_SIZE; i++)
		number = number << 4 | ((at[i] & 15u) + (at[i] > '9' ? 9u : 0u));
	return number;
#endif
}

static inline bool
number_is(const uint8_t *at, const struct number_text *text)
{
	uint64_t a[2], b[2];

	memcpy(a, at, sizeof(a));
	memcpy(b, text->bytes, sizeof(b));
	return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

#endif
