/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whether a message fits a shape, by vectors of 32 bytes; its view is then a copy. See shape.h. Private to variant.c.
 */
#ifndef BYEPASS_SIP_MATCH_SHAPE_H
#define BYEPASS_SIP_MATCH_SHAPE_H

#include "sip/param.h"
#include "sip/shape.h"

#if defined(__AVX2__)

INLINE __m256i
load32(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

INLINE uint64_t
line_feeds(const uint8_t *p)
{
	__m256i lf = _mm256_set1_epi8('\n');
	uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load32(p), lf));

	return low | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load32(p + 32), lf)) << 32;
}

/* By the first letters and the line ends of BP_SHAPE_HEAD_MIN bytes. Never 0. */
INLINE uint64_t
shape_key(const uint8_t *p)
{
	uint32_t word;
	uint64_t key;

	memcpy(&word, p, 4);
	key = (line_feeds(p) ^ word) * 0x9e3779b97f4a7c15;
	key = (key ^ key >> 32 ^ line_feeds(p + 64)) * 0xc2b2ae3d27d4eb4f;
	key = (key ^ key >> 32 ^ line_feeds(p + 128)) * 0x9e3779b97f4a7c15;
	return ((key ^ key >> 32 ^ line_feeds(p + 192)) * 0xc2b2ae3d27d4eb4f) | 1;
}

/* Not zero where a byte is not as the shape wants it. */
INLINE __m256i
unlike(const struct bp_sip_shape *shape, const uint8_t *p, size_t at)
{
	const __m256i fifteens = _mm256_load_si256((const __m256i *)constants.fifteens);
	const __m256i bits = _mm256_load_si256((const __m256i *)constants.bits);
	__m256i bytes = load32(p + at), high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), fifteens), other;

	/* 0: not of the set */
	high = _mm256_and_si256(_mm256_shuffle_epi8(bits, high),
		_mm256_shuffle_epi8(
			_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)bp_set_host.rows)), bytes));
	other = _mm256_cmpeq_epi8(high, _mm256_setzero_si256());
	return _mm256_blendv_epi8(other, _mm256_xor_si256(bytes, load32(shape->text + at)), load32(shape->fixed + at));
}

INLINE bool
fits(const struct bp_sip_shape *shape, const uint8_t *p)
{
	size_t at = 0, size = shape->head_size;
	__m256i sum;

	for (; at + 128 <= size; at += 128) {
		sum = _mm256_or_si256(_mm256_or_si256(unlike(shape, p, at), unlike(shape, p, at + 32)),
			_mm256_or_si256(unlike(shape, p, at + 64), unlike(shape, p, at + 96)));
		if (unlikely(!_mm256_testz_si256(sum, sum)))
			return false;
	}
	sum = unlike(shape, p, size - 32); /* the last 32 bytes, wherever they begin */
	for (; at + 32 < size; at += 32)
		sum = _mm256_or_si256(sum, unlike(shape, p, at));
	return likely(_mm256_testz_si256(sum, sum));
}

/* False: it does not fit. At least the shape's head is there. */
INLINE bool
take_shape(const struct bp_sip_shape *shape, struct bp_sip_message *m, const uint8_t *p, size_t size)
{
	size_t room = size - shape->head_size;
	uint32_t length, cseq = 0;

	if (!fits(shape, p))
		return false;
	if (likely(shape->length_digits)) {
		if (unlikely(!read_digits(p, shape->length_end, shape->length_digits, &length) || length > room))
			return false;
		room = length;
	}
	if (likely(shape->cseq_digits) && unlikely(!read_digits(p, shape->cseq_end, shape->cseq_digits, &cseq)))
		return false;
	for (size_t i = 0; i < shape->view_size; i += 32)
		_mm256_storeu_si256((__m256i *)((uint8_t *)m + i), load32(shape->view + i));
	m->bytes = p;
	m->size = (uint16_t)(shape->head_size + room);
	m->body = room ? make_span(shape->head_size, m->size) : (struct bp_span){0, 0};
	if (likely(shape->cseq_digits))
		m->cseq = cseq;
	return true;
}

INLINE bool
same_limits(const struct bp_sip_limits *a, const struct bp_sip_limits *b)
{
	return a->headers == b->headers && a->vias == b->vias && a->uri == b->uri;
}

/* The key of the message; 0: it fitted. */
INLINE uint64_t
find_shape(struct bp_sip_shapes *shapes, struct bp_sip_message *m, const uint8_t *p, size_t size,
	const struct bp_sip_limits *limits)
{
	uint64_t key = shape_key(p);
	const struct bp_shape_set *set = bp_shape_set(shapes, key);

	for (unsigned way = 0; way < BP_SHAPE_WAYS; way++) {
		const struct bp_sip_shape *shape = &shapes->shapes[key >> 59][way];

		if (set->keys[way] == key && size >= shape->head_size && same_limits(&shape->limits, limits) &&
			take_shape(shape, m, p, size))
			return 0;
	}
	return key;
}

#endif

#endif
