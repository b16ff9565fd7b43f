/* SPDX-License-Identifier: BSD-3-Clause
 *
 * base64url by words, and by vectors of 32 bytes where the CPU has them (W. Mula and D. Lemire: Faster Base64 Encoding
 * and Decoding Using AVX2 Instructions, 2018).
 */
#include "transaction/base64.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define TARGET __attribute__((target("avx2")))
#endif

#define ONES UINT64_C(0x0101010101010101)

/* In each byte, all less than 128: 1 where it is at least @least. */
static inline uint64_t
at_least(uint64_t bytes, unsigned least)
{
	return (bytes + ONES * (0x80 - least)) >> 7 & ONES;
}

static inline uint64_t
load_big(const void *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static inline void
store_big(void *to, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	memcpy(to, &word, sizeof(word));
}

/* Six bytes make eight characters. */
static void
encode_words(const uint8_t *in, unsigned size, char *out)
{
	for (unsigned i = 0; i < size; i += 6, out += 8) {
		uint64_t x = load_big(in + i) >> 16;

		x = (x & UINT64_C(0xffffff000000)) << 8 | (x & 0xffffff);
		x = (x & UINT64_C(0x00fff00000fff000)) << 4 | (x & UINT64_C(0x00000fff00000fff));
		x = (x & UINT64_C(0x0fc00fc00fc00fc0)) << 2 | (x & UINT64_C(0x003f003f003f003f));
		/* A-Z a-z 0-9 - _: what the first character of each run is further away than that of the one before */
		x += ONES * 'A' + at_least(x, 26) * ('a' - 'Z' - 1) - at_least(x, 52) * ('z' + 1 - '0') -
			at_least(x, 62) * ('9' + 1 - '-') + at_least(x, 63) * ('_' - '-' - 1);
		store_big(out, x);
	}
}

/* Values of all characters; 64: none. */
/* clang-format off */
static const uint8_t values[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64, 64, 0, 1, 2, 3, 4, 5, 6,
	7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
	49, 50, 51, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};
/* clang-format on */

/* Four characters make three bytes. */
static bool
decode_words(const char *text, unsigned size, uint8_t *out)
{
	const uint8_t *in = (const uint8_t *)text;
	uint32_t bad = 0;

	for (unsigned i = 0; i < size; i += 4, out += 3) {
		uint32_t a = values[in[i]], b = values[in[i + 1]], c = values[in[i + 2]], d = values[in[i + 3]];
		uint32_t group = a << 26 | b << 20 | c << 14 | d << 8;

		bad |= a | b | c | d;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		group = __builtin_bswap32(group);
#endif
		memcpy(out, &group, sizeof(group));
	}
	return (bad & 64) == 0;
}

uint8_t
bp_base64_value(uint8_t c)
{
	return values[c];
}

bool bp_base64_vectors;

#if defined(__x86_64__)

__attribute__((constructor)) static void
choose(void)
{
	__builtin_cpu_init();
	bp_base64_vectors = __builtin_cpu_supports("avx2");
}

/* Twelve bytes of each half, at its beginning, become sixteen values. */
static inline TARGET __m256i
split(__m256i x)
{
	const __m256i order = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6,
		8, 7, 10, 9, 11, 10);
	__m256i first, second;

	x = _mm256_shuffle_epi8(x, order); /* in each four bytes: b a c b of the three abc */
	first = _mm256_mulhi_epu16(_mm256_and_si256(x, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
	second = _mm256_mullo_epi16(_mm256_and_si256(x, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
	return _mm256_or_si256(first, second);
}

/* Values become characters: by the run that they are in, something is added. */
static inline TARGET __m256i
letters(__m256i values_of)
{
	const __m256i more = _mm256_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
		'0' - 52, '0' - 52, '0' - 52, '-' - 62, '_' - 63, 'A', 0, 0, 'a' - 26, '0' - 52, '0' - 52, '0' - 52,
		'0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '-' - 62, '_' - 63, 'A', 0, 0);
	__m256i run = _mm256_subs_epu8(values_of, _mm256_set1_epi8(51));
	__m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values_of);

	run = _mm256_or_si256(run, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
	return _mm256_add_epi8(values_of, _mm256_shuffle_epi8(more, run));
}

static TARGET void
encode_vectors(const uint8_t *in, unsigned size, char *out)
{
	for (unsigned i = 0; i < size; i += 24, out += 32) {
		__m256i x = _mm256_inserti128_si256(
			_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(in + i))),
			_mm_loadu_si128((const __m128i *)(in + i + 12)), 1);

		_mm256_storeu_si256((__m256i *)out, letters(split(x)));
	}
}

/* All ones where a byte is one of the @count from @first on. */
static inline TARGET __m256i
in_run(__m256i x, char first, char count)
{
	__m256i at = _mm256_sub_epi8(x, _mm256_set1_epi8(first));

	return _mm256_cmpeq_epi8(_mm256_min_epu8(at, _mm256_set1_epi8((char)(count - 1))), at);
}

static inline TARGET __m256i
plus(__m256i sum, __m256i where, int what)
{
	return _mm256_or_si256(sum, _mm256_and_si256(where, _mm256_set1_epi8((char)what)));
}

static TARGET bool
decode_vectors(const char *text, unsigned size, uint8_t *out)
{
	const __m256i order = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5, 4, 10, 9,
		8, 14, 13, 12, -1, -1, -1, -1);
	__m256i good = _mm256_set1_epi8(-1);

	for (unsigned i = 0; i < size; i += 32, out += 24) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(text + i));
		__m256i upper = in_run(x, 'A', 26), lower = in_run(x, 'a', 26), digit = in_run(x, '0', 10);
		__m256i dash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('-')), line = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('_'));
		__m256i more = _mm256_and_si256(upper, _mm256_set1_epi8(-'A'));

		more = plus(plus(more, lower, 26 - 'a'), digit, 52 - '0');
		more = plus(plus(more, dash, 62 - '-'), line, 63 - '_');
		good = _mm256_and_si256(good, _mm256_or_si256(_mm256_or_si256(upper, lower),
			_mm256_or_si256(digit, _mm256_or_si256(dash, line))));
		x = _mm256_add_epi8(x, more);
		x = _mm256_madd_epi16(_mm256_maddubs_epi16(x, _mm256_set1_epi32(0x01400140)), _mm256_set1_epi32(0x00011000));
		x = _mm256_shuffle_epi8(x, order);
		_mm_storeu_si128((__m128i *)out, _mm256_castsi256_si128(x));
		_mm_storeu_si128((__m128i *)(out + 12), _mm256_extracti128_si256(x, 1));
	}
	return _mm256_movemask_epi8(good) == -1;
}

#endif

void
bp_base64_encode(const uint8_t in[BP_BASE64_BYTES + 8], unsigned size, char out[BP_BASE64_TEXT])
{
#if defined(__x86_64__)
	if (bp_base64_vectors) {
		encode_vectors(in, size, out);
		return;
	}
#endif
	encode_words(in, size, out);
}

bool
bp_base64_decode(const char text[BP_BASE64_TEXT], unsigned size, uint8_t out[BP_BASE64_BYTES + 8])
{
#if defined(__x86_64__)
	if (bp_base64_vectors)
		return decode_vectors(text, size, out);
#endif
	return decode_words(text, size, out);
}
