/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Scanning with the instruction set that this variant is compiled for: AVX-512, AVX2,
 * SSE4.2, or plain C. A set is looked up by two shuffles: the low nibble of each byte selects a row, the high
 * one a bit of it, as in Mula's and Langdale's classification. Private to variant.c.
 *
 * Positions count from @p. What stands in [0, @limit) may be read, nothing else; the vector variants want
 * @limit to be at least LIMIT_MIN, so that the last bytes can be read by a load that ends there.
 */
#ifndef BYEPASS_SIP_VECTOR_H
#define BYEPASS_SIP_VECTOR_H

#include "sip/header_name.h"
#include "sip/scan.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__AVX512BW__) || defined(__AVX2__) || defined(__SSE4_2__)
#define VECTOR 1
#include <immintrin.h>
#else
#define VECTOR 0
#endif

/* What the vector code needs, in memory rather than made anew: a load is a part of the instruction that needs it, and
 * the compiler must not know better. In scan.c. */
#pragma GCC visibility push(hidden)
extern const struct bp_vector_constants {
	int8_t bits[64], fifteens[64], uri_others[64], marks[64];
} bp_vector_constants __attribute__((aligned(64)));
#pragma GCC visibility pop
#define constants bp_vector_constants

#if defined(__AVX512BW__)

#define STEP 64
#define LIMIT_MIN 65

struct window {
	__m512i bytes, bits;
	size_t shift;
};

INLINE __m512i
bits_of(__m512i bytes)
{
	__m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_load_si512(constants.fifteens));

	return _mm512_shuffle_epi8(_mm512_load_si512(constants.bits), high);
}

INLINE __m512i
rows_of(__m512i bytes, const struct bp_scan_set *set)
{
	return _mm512_shuffle_epi8(
		_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)set->rows)), bytes);
}

/* Which of the STEP bytes at @p are in @set, and which are not. */
INLINE uint64_t
step_in(const uint8_t *p, const struct bp_scan_set *set)
{
	__m512i bytes = _mm512_loadu_si512(p);

	return _mm512_test_epi8_mask(rows_of(bytes, set), bits_of(bytes));
}

INLINE uint64_t
step_out(const uint8_t *p, const struct bp_scan_set *set)
{
	__m512i bytes = _mm512_loadu_si512(p);

	return _mm512_testn_epi8_mask(rows_of(bytes, set), bits_of(bytes));
}

INLINE uint64_t
step_out_uri(const uint8_t *p)
{
	__m512i bytes = _mm512_loadu_si512(p);
	__m512i others = _mm512_shuffle_epi8(_mm512_load_si512(constants.uri_others), bytes);

	return _kor_mask64(_mm512_cmpeq_epi8_mask(others, bytes),
		_mm512_cmplt_epi8_mask(bytes, _mm512_load_si512(constants.marks)));
}

INLINE uint64_t
step_is(const uint8_t *p, char c)
{
	return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(c));
}

INLINE void
window_fill(struct window *w, const uint8_t *p)
{
	w->bytes = _mm512_loadu_si512(p);
	w->bits = bits_of(w->bytes);
}

INLINE uint64_t
window_mask(const struct window *w, const struct bp_scan_set *set)
{
	return _mm512_testn_epi8_mask(rows_of(w->bytes, set), w->bits);
}

INLINE void
block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	*cr = step_is(p, '\r');
	*lf = step_is(p, '\n');
}

#elif defined(__AVX2__)

#define STEP 32
#define LIMIT_MIN 65

struct window {
	__m256i bytes[2], bits[2];
	size_t shift;
};

INLINE __m256i
bits_of(__m256i bytes)
{
	__m256i high = _mm256_and_si256(
		_mm256_srli_epi16(bytes, 4), _mm256_load_si256((const __m256i *)constants.fifteens));

	return _mm256_shuffle_epi8(_mm256_load_si256((const __m256i *)constants.bits), high);
}

INLINE __m256i
rows_of(__m256i bytes, const struct bp_scan_set *set)
{
	return _mm256_shuffle_epi8(
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->rows)), bytes);
}

INLINE uint64_t
zeros_of(__m256i bytes)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256()));
}

/* Which of the STEP bytes at @p are in @set, and which are not. */
INLINE uint64_t
step_in(const uint8_t *p, const struct bp_scan_set *set)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)p), bits = bits_of(bytes);
	__m256i in = _mm256_and_si256(rows_of(bytes, set), bits);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(in, bits));
}

INLINE uint64_t
step_out(const uint8_t *p, const struct bp_scan_set *set)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)p);

	return zeros_of(_mm256_and_si256(rows_of(bytes, set), bits_of(bytes)));
}

INLINE uint64_t
step_out_uri(const uint8_t *p)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)p);
	__m256i others = _mm256_shuffle_epi8(_mm256_load_si256((const __m256i *)constants.uri_others), bytes);

	others = _mm256_or_si256(_mm256_cmpeq_epi8(others, bytes),
		_mm256_cmpgt_epi8(_mm256_load_si256((const __m256i *)constants.marks), bytes));
	return (uint32_t)_mm256_movemask_epi8(others);
}

INLINE uint64_t
step_is(const uint8_t *p, char c)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)p);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c)));
}

INLINE void
window_fill(struct window *w, const uint8_t *p)
{
	for (unsigned i = 0; i < 2; i++) {
		w->bytes[i] = _mm256_loadu_si256((const __m256i *)(p + 32 * i));
		w->bits[i] = bits_of(w->bytes[i]);
	}
}

INLINE uint64_t
window_mask(const struct window *w, const struct bp_scan_set *set)
{
	uint64_t low = zeros_of(_mm256_and_si256(rows_of(w->bytes[0], set), w->bits[0]));

	return low | zeros_of(_mm256_and_si256(rows_of(w->bytes[1], set), w->bits[1])) << 32;
}

INLINE void
block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	*cr = step_is(p, '\r') | step_is(p + 32, '\r') << 32;
	*lf = step_is(p, '\n') | step_is(p + 32, '\n') << 32;
}

#elif VECTOR

#define STEP 16
#define LIMIT_MIN 65

struct window {
	__m128i bytes[4], bits[4];
	size_t shift;
};

INLINE __m128i
bits_of(__m128i bytes)
{
	__m128i high =
		_mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_load_si128((const __m128i *)constants.fifteens));

	return _mm_shuffle_epi8(_mm_load_si128((const __m128i *)constants.bits), high);
}

INLINE __m128i
rows_of(__m128i bytes, const struct bp_scan_set *set)
{
	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)set->rows), bytes);
}

INLINE uint64_t
zeros_of(__m128i bytes)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()));
}

/* Which of the STEP bytes at @p are in @set, and which are not. */
INLINE uint64_t
step_in(const uint8_t *p, const struct bp_scan_set *set)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)p), bits = bits_of(bytes);
	__m128i in = _mm_and_si128(rows_of(bytes, set), bits);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(in, bits));
}

INLINE uint64_t
step_out(const uint8_t *p, const struct bp_scan_set *set)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)p);

	return zeros_of(_mm_and_si128(rows_of(bytes, set), bits_of(bytes)));
}

INLINE uint64_t
step_out_uri(const uint8_t *p)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)p);
	__m128i others = _mm_shuffle_epi8(_mm_load_si128((const __m128i *)constants.uri_others), bytes);

	others = _mm_or_si128(_mm_cmpeq_epi8(others, bytes),
		_mm_cmpgt_epi8(_mm_load_si128((const __m128i *)constants.marks), bytes));
	return (uint32_t)_mm_movemask_epi8(others);
}

INLINE uint64_t
step_is(const uint8_t *p, char c)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)p);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

INLINE void
window_fill(struct window *w, const uint8_t *p)
{
	for (unsigned i = 0; i < 4; i++) {
		w->bytes[i] = _mm_loadu_si128((const __m128i *)(p + 16 * i));
		w->bits[i] = bits_of(w->bytes[i]);
	}
}

INLINE uint64_t
window_mask(const struct window *w, const struct bp_scan_set *set)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 4; i++)
		mask |= zeros_of(_mm_and_si128(rows_of(w->bytes[i], set), w->bits[i])) << (16 * i);
	return mask;
}

INLINE void
block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	*cr = *lf = 0;
	for (unsigned i = 0; i < 64; i += 16) {
		*cr |= step_is(p + i, '\r') << i;
		*lf |= step_is(p + i, '\n') << i;
	}
}

#endif

#if VECTOR

/* The number of zeros below the lowest one; the word's size or its highest bit when there is no one. */
INLINE size_t
low_zeros(uint64_t word)
{
#if defined(__BMI__)
	return _tzcnt_u64(word);
#else
	return (size_t)__builtin_ctzll(word | (uint64_t)1 << 63);
#endif
}

/* A step at @at; where fewer than STEP bytes are left, one that ends at @limit, shifted. Bits behind the limit come out
 * as 0. */
#define AT_LIMIT(at, limit, step)                                                                             \
	(likely((at) + STEP <= (limit)) ? step(at) : step((limit) - STEP) >> (((at) + STEP - (limit)) & 63))

/* Which of the 64 bytes at @p are @c. */
INLINE uint64_t
step64_is(const uint8_t *p, char c)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < 64; i += STEP)
		mask |= step_is(p + i, c) << i;
	return mask;
}

/* The first position in [at, end) for which MASK() has a bit; @end when there is none. */
#define FIRST(at, end, limit)                                                                                 \
	for (; (at) < (end); (at) += STEP) {                                                                  \
		uint64_t mask = AT_LIMIT(at, limit, MASK);                                                    \
                                                                                                              \
		if (likely(mask != 0)) {                                                                      \
			(at) += (size_t)__builtin_ctzll(mask);                                                \
			break;                                                                                \
		}                                                                                             \
	}                                                                                                     \
	return (at) < (end) ? (at) : (end)

/* The first position in [at, end) whose byte is in @set; @end when there is none. */
INLINE size_t
find(const uint8_t *p, size_t at, size_t end, size_t limit, const struct bp_scan_set *set)
{
#define MASK(at) step_in(p + (at), set)
	FIRST(at, end, limit);
#undef MASK
}

/* The first position in [at, end) whose byte is not in @set; @end when there is none. */
INLINE size_t
skip(const uint8_t *p, size_t at, size_t end, size_t limit, const struct bp_scan_set *set)
{
#define MASK(at) step_out(p + (at), set)
	FIRST(at, end, limit);
#undef MASK
}

/* The first @c in [at, end), or @end. */
INLINE size_t
find_byte(const uint8_t *p, size_t at, size_t end, size_t limit, char c)
{
#define MASK(at) step_is(p + (at), c)
	FIRST(at, end, limit);
#undef MASK
}

/* Whether there is a @c in [at, end). */
INLINE bool
has_byte(const uint8_t *p, size_t at, size_t end, size_t limit, char c)
{
	uint64_t found;

	if (unlikely(end - at < STEP))
		return find_byte(p, at, end, limit, c) != end;
	/* nothing but whole steps; the last one ends at the end */
	found = step_is(p + end - STEP, c);
	for (; at + STEP < end; at += STEP)
		found |= step_is(p + at, c);
	return found != 0;
}

/* The first position from @at on whose byte is not in @set. It is known that there is one before @limit, because
 * a line ends there. */
INLINE size_t
skip_in_line(const uint8_t *p, size_t at, size_t limit, const struct bp_scan_set *set)
{
	for (;; at += STEP) {
#define MASK(at) step_out(p + (at), set)
		uint64_t mask = AT_LIMIT(at, limit, MASK);
#undef MASK
		if (likely(mask != 0))
			return at + (size_t)__builtin_ctzll(mask);
	}
}

/* The same for bp_set_uri. */
INLINE size_t
skip_uri_in_line(const uint8_t *p, size_t at, size_t limit)
{
	for (;; at += STEP) {
#define MASK(at) step_out_uri(p + (at))
		uint64_t mask = AT_LIMIT(at, limit, MASK);
#undef MASK
		if (likely(mask != 0))
			return at + (size_t)__builtin_ctzll(mask);
	}
}

/* One after the other, the positions of bytes that are not in a set. */
struct stops {
	size_t base;
	uint64_t mask; /* of the STEP bytes at @base; those that were given out are gone */
};

INLINE void
stops_begin(struct stops *s, const uint8_t *p, size_t at, size_t limit, const struct bp_scan_set *set)
{
#define MASK(at) step_out(p + (at), set)
	s->base = at;
	s->mask = AT_LIMIT(at, limit, MASK);
#undef MASK
}

/* The next one. It is known that there is one, as above. */
INLINE size_t
stops_next(struct stops *s, const uint8_t *p, size_t limit, const struct bp_scan_set *set)
{
	size_t at;

	while (unlikely(s->mask == 0))
		stops_begin(s, p, s->base + STEP, limit, set);
	at = s->base + (size_t)__builtin_ctzll(s->mask);
	s->mask &= s->mask - 1;
	return at;
}

/* The 64 bytes from @at on, to be asked for several sets. */
INLINE void
window_load(struct window *w, const uint8_t *p, size_t at, size_t limit)
{
	size_t last = limit - 64, base = at < last ? at : last;

	w->shift = at - base;
	window_fill(w, p + base);
}

/* Bit i: the byte @at + i is not in @set. What is behind the limit is 0. */
INLINE uint64_t
window_out(const struct window *w, const struct bp_scan_set *set)
{
	return window_mask(w, set) >> (w->shift & 63);
}

/* Stops at each byte that is not in a set; 64 bytes are looked at at once. Only forward. */
struct cursor {
	const uint8_t *p;
	const struct bp_scan_set *plain;
	uint64_t stops;
	size_t base, end, limit;
};

INLINE void
cursor_begin(struct cursor *c, const uint8_t *p, size_t at, size_t end, size_t limit,
	const struct bp_scan_set *plain)
{
	*c = (struct cursor){.p = p, .plain = plain, .base = at - 64, .end = end, .limit = limit};
}

/* First position from @at on whose byte is not plain; the end when there is none. */
INLINE size_t
cursor_stop(struct cursor *c, size_t at)
{
	for (;;) {
		size_t i = at - c->base;
		struct window w;

		if (likely(i < 64)) {
			uint64_t stops = c->stops >> i;

			if (likely(stops != 0)) {
				at += (size_t)__builtin_ctzll(stops);
				return at < c->end ? at : c->end;
			}
			at = c->base + 64;
		}
		if (at >= c->end)
			return c->end;
		c->base = at;
		window_load(&w, c->p, at, c->limit);
		c->stops = window_out(&w, c->plain);
	}
}

#else

#define LIMIT_MIN 1

INLINE size_t
find(const uint8_t *p, size_t at, size_t end, size_t limit, const struct bp_scan_set *set)
{
	while (at < end && !bp_set_has(set, p[at]))
		at++;
	return at;
}

INLINE size_t
skip(const uint8_t *p, size_t at, size_t end, size_t limit, const struct bp_scan_set *set)
{
	while (at < end && bp_set_has(set, p[at]))
		at++;
	return at;
}

INLINE size_t
find_byte(const uint8_t *p, size_t at, size_t end, size_t limit, char c)
{
	while (at < end && p[at] != (uint8_t)c)
		at++;
	return at;
}

struct cursor {
	const uint8_t *p;
	const struct bp_scan_set *plain;
	size_t end;
};

INLINE void
cursor_begin(struct cursor *c, const uint8_t *p, size_t at, size_t end, size_t limit,
	const struct bp_scan_set *plain)
{
	*c = (struct cursor){.p = p, .plain = plain, .end = end};
}

INLINE size_t
cursor_stop(struct cursor *c, size_t at)
{
	return skip(c->p, at, c->end, c->end, c->plain);
}

/* Eight bits: which bytes of @word are equal to the byte that @pattern repeats. Exact, no borrow between
 * bytes. */
INLINE uint64_t
word_equal(uint64_t word, uint64_t pattern)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7f;
	uint64_t x = word ^ pattern;
	uint64_t zero = ~(((x & low) + low) | x | low);

	return (zero >> 7) * 0x0102040810204080 >> 56;
}

INLINE void
block(const uint8_t *p, uint64_t *cr, uint64_t *lf)
{
	uint64_t c = 0, l = 0;

	for (size_t i = 0; i < 64; i += 8) {
		uint64_t word = bp_load8(p + i);

		c |= word_equal(word, 0x0d0d0d0d0d0d0d0d) << i;
		l |= word_equal(word, 0x0a0a0a0a0a0a0a0a) << i;
	}
	*cr = c;
	*lf = l;
}

#endif

/* Sets a structure of 16 bytes or more to zero, by stores that may overlap rather than by a call or a loop. */
INLINE void
clear(void *to, size_t size)
{
#if VECTOR
	uint8_t *p = to;
	size_t at = 0;

#if defined(__AVX2__)
	UNROLL
	for (; at + 32 <= size; at += 32)
		_mm256_storeu_si256((__m256i *)(p + at), _mm256_setzero_si256());
#endif
	UNROLL
	for (; at + 16 <= size; at += 16)
		_mm_storeu_si128((__m128i *)(p + at), _mm_setzero_si128());
	if (at < size)
		_mm_storeu_si128((__m128i *)(p + size - 16), _mm_setzero_si128());
#else
	memset(to, 0, size);
#endif
}

INLINE bool
is_lws(uint8_t byte)
{
	/* SP, HTAB, CR, LF as bits of a word */
	return byte <= ' ' && ((uint64_t)0x100002600 >> byte & 1);
}

INLINE size_t
skip_lws(const uint8_t *p, size_t at, size_t end)
{
	while (at < end && unlikely(is_lws(p[at])))
		at++;
	return at;
}

/* Where [begin, end) ends once white space is cut off its end. */
INLINE size_t
trim_lws(const uint8_t *p, size_t begin, size_t end)
{
	while (end > begin && unlikely(is_lws(p[end - 1])))
		end--;
	return end;
}

/* A quoted string whose opening quote is at @at: the position after the closing one, 0 when there is none. */
INLINE size_t
skip_quoted(const uint8_t *p, size_t at, size_t end, size_t limit)
{
	for (at++; at < end; at += 2) {
		at = find(p, at, end, limit, &bp_set_quoted_stop);
		if (at < end && p[at] == '"')
			return at + 1;
	}
	return 0;
}

#endif
