/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From bytes to headers[]: the header lines of a message. A message whose lines are all
 * written plainly goes the short way, last line first and almost without branches; the first thing that is
 * not plain (a fold, a stray CR, a bad line, too many) sends it the long way, from the beginning. Both give the
 * same headers. RFC 3261 7.3. Private to variant.c.
 */
#ifndef BYEPASS_SIP_HEADER_LINES_H
#define BYEPASS_SIP_HEADER_LINES_H

#include "sip/lines.h"
#include "sip/param.h"

INLINE void
fault(struct bp_sip_message *m, enum bp_sip_fault kind, uint32_t offset)
{
	if (m->fault)
		return;
	m->fault = (uint8_t)kind;
	m->fault_offset = (uint16_t)offset;
}

/* What a header line is made of. */
struct line_parts {
	size_t name_end, value, value_end;
	uint8_t id;
};

/* Any line: [at, end) with all its folds, without its CRLF. False: it is none. */
NOINLINE bool
split_line(const uint8_t *p, size_t at, size_t end, size_t size, struct line_parts *parts)
{
	size_t colon = find_byte(p, at, end, size, ':'), name_end = colon;

	parts->id = bp_header_id(p + at, colon - at, size - at);
	if (parts->id == BP_SIP_OTHER || colon >= end) {
		if (colon >= end)
			return false;
		while (name_end > at && (p[name_end - 1] == ' ' || p[name_end - 1] == '\t'))
			name_end--;
		if (name_end == at || skip(p, at, name_end, size, &bp_set_token) != name_end)
			return false;
		if (name_end != colon)
			parts->id = bp_header_id(p + at, name_end - at, size - at);
	}
	parts->name_end = name_end;
	parts->value = skip_lws(p, colon + 1, end);
	parts->value_end = trim_lws(p, parts->value, end);
	return true;
}

INLINE void
put_header(struct bp_sip_header *header, size_t at, size_t next, const struct line_parts *parts)
{
	header->line = make_span(at, next);
	header->name = make_span(at, parts->name_end);
	header->value = make_span(parts->value, parts->value_end);
	header->id = parts->id;
	header->next = 0;
	header->reserved = 0;
}

/* The long way */

/* What the walk over the lines keeps. */
struct line_walk {
	struct bp_sip_message *m;
	size_t count; /* of headers[] */
	size_t limit;
	uint8_t last[BP_SIP_HEADER_ID_COUNT]; /* index + 1 of the last line of each id */
};

/* One header line with all its folds: [at, next), content until @end. */
static void
take_line(struct line_walk *walk, size_t at, size_t end, size_t next)
{
	struct bp_sip_message *m = walk->m;
	struct line_parts parts;

	if (!split_line(m->bytes, at, end, m->size, &parts)) {
		fault(m, BP_SIP_FAULT_HEADER_LINE, at);
		return;
	}
	put_header(&m->headers[walk->count++], at, next, &parts);
	if (m->first[parts.id])
		m->headers[walk->last[parts.id] - 1].next = (uint8_t)walk->count;
	else
		m->first[parts.id] = (uint8_t)walk->count;
	walk->last[parts.id] = (uint8_t)walk->count;
}

/* As many lines as one scan found, from the @i-th on. Returns where the line begins that is not over yet;
 * *@blank: the blank line. */
static size_t
take_found(struct line_walk *walk, const struct bp_scan_lines *lines, size_t i, size_t begin, bool *blank)
{
	struct bp_sip_message *m = walk->m;
	const uint8_t *p = m->bytes;

	for (; i < lines->count; i++) {
		size_t next = lines->ends[i];

		if (next == lines->body) {
			*blank = true;
			break;
		}
		/* a fold: the next line goes on with this one (7.3.1) */
		if (next < m->size && (p[next] == ' ' || p[next] == '\t'))
			continue;
		if (walk->count >= walk->limit) {
			fault(m, BP_SIP_FAULT_TOO_MANY_HEADERS, begin);
			if (walk->count >= BP_SIP_HEADERS_MAX - 1) {
				begin = next;
				continue;
			}
		}
		take_line(walk, begin, next - 2, next);
		begin = next;
	}
	return begin;
}

/* Sets headers_offset, body_offset and headers[]. @start: called with the end of the start line. */
NOINLINE void
any_lines(struct bp_sip_message *m, const struct bp_sip_limits *limits,
	void (*start)(struct bp_sip_message *m, size_t end, const struct bp_sip_limits *limits))
{
	struct line_walk walk = {.m = m, .limit = BP_SIP_HEADERS_MAX - 1};
	struct bp_scan_lines lines;
	size_t begin = 0, first;
	bool blank = false;

	if (limits->headers < walk.limit)
		walk.limit = limits->headers;
	bp_scan_lines_begin(&lines);
	do {
		scan_lines(m->bytes, m->size, &lines);
		first = 0;
		if (begin == 0 && lines.count) {
			begin = lines.ends[0];
			m->headers_offset = (uint16_t)begin;
			start(m, begin - 2, limits);
			first = 1;
		}
		begin = take_found(&walk, &lines, first, begin, &blank);
	} while (lines.body == 0 && lines.at < m->size);

	if (lines.stray != 0)
		fault(m, BP_SIP_FAULT_HEADER_LINE, lines.stray - 1);
	m->body_offset = (uint16_t)lines.body;
	if (!blank) {
		/* No blank line. What there is of a last line is kept, for the answer. */
		fault(m, m->headers_offset ? BP_SIP_FAULT_NO_END : BP_SIP_FAULT_START_LINE, begin);
		if (m->headers_offset == 0)
			m->headers_offset = m->size;
		else if (begin < m->size && walk.count < BP_SIP_HEADERS_MAX - 1)
			take_line(&walk, begin, m->size, m->size);
		m->body_offset = m->size;
	}
	m->header_count = (uint8_t)walk.count;
}

#if VECTOR

/* The short way */

#define PLAIN_SIZE_MAX 8192 /* a longer header goes the long way */
#define PLAIN_LINES_MAX (BP_SIP_HEADERS_MAX - 1)

/* Offsets behind line ends, as in struct bp_scan_lines. No more than every other byte is a CR, for two of them with
 * one byte between end the search. What is stored at once reaches further than what counts. */
struct ends {
	size_t count;
	uint16_t at[PLAIN_SIZE_MAX / 2 + 64];
};

/* A bit of @ends stands for a CR with its LF behind it. */
INLINE uint16_t *
put_ends(uint16_t *out, size_t base, uint64_t ends)
{
	uint16_t *next = out + _mm_popcnt_u64(ends);

	/* two at a time without asking: there are seldom more in 64 bytes */
	for (;;) {
		out[0] = (uint16_t)(low_zeros(ends) + base + 2);
		ends &= ends - 1;
		out[1] = (uint16_t)(low_zeros(ends) + base + 2);
		ends &= ends - 1;
		if (likely(ends == 0))
			break;
		out += 2;
	}
	return next;
}

/* Where in 64 bytes CRs are, and LFs one byte behind: the same in a message that is written well. */
struct crlf {
#if defined(__AVX512BW__)
	__mmask64 cr, lf;
#elif defined(__AVX2__)
	__m256i cr[2], lf[2];
#else
	__m128i cr[4], lf[4];
#endif
};

INLINE uint64_t
crlf_load(const uint8_t *p, struct crlf *c)
{
#if defined(__AVX512BW__)
	c->cr = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8('\r'));
	c->lf = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p + 1), _mm512_set1_epi8('\n'));
	return c->cr;
#elif defined(__AVX2__)
	for (unsigned i = 0; i < 2; i++) {
		const __m256i *at = (const __m256i *)(p + 32 * i), *behind = (const __m256i *)(p + 32 * i + 1);

		c->cr[i] = _mm256_cmpeq_epi8(_mm256_loadu_si256(at), _mm256_set1_epi8('\r'));
		c->lf[i] = _mm256_cmpeq_epi8(_mm256_loadu_si256(behind), _mm256_set1_epi8('\n'));
	}
	return (uint32_t)_mm256_movemask_epi8(c->cr[0]) | (uint64_t)(uint32_t)_mm256_movemask_epi8(c->cr[1]) << 32;
#else
	uint64_t mask = 0;

	for (unsigned i = 0; i < 4; i++) {
		const __m128i *at = (const __m128i *)(p + 16 * i), *behind = (const __m128i *)(p + 16 * i + 1);

		c->cr[i] = _mm_cmpeq_epi8(_mm_loadu_si128(at), _mm_set1_epi8('\r'));
		c->lf[i] = _mm_cmpeq_epi8(_mm_loadu_si128(behind), _mm_set1_epi8('\n'));
		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(c->cr[i]) << (16 * i);
	}
	return mask;
#endif
}

/* CRs without LF and LFs without CR, of any block so far. */
#if defined(__AVX512BW__)
#define NO_STRAYS 0
#define ADD_STRAYS(strays, c) (strays = _kor_mask64(strays, _kxor_mask64((c)->cr, (c)->lf)))
#define ANY_STRAYS(strays) ((strays) != 0)
typedef __mmask64 stray_bits;
#elif defined(__AVX2__)
#define NO_STRAYS _mm256_setzero_si256()
#define PAIR(c, i) _mm256_xor_si256((c)->cr[i], (c)->lf[i])
#define ADD_STRAYS(strays, c) (strays = _mm256_or_si256(strays, _mm256_or_si256(PAIR(c, 0), PAIR(c, 1))))
#define ANY_STRAYS(strays) (!_mm256_testz_si256(strays, strays))
typedef __m256i stray_bits;
#else
#define NO_STRAYS _mm_setzero_si128()
#define PAIR(c, i) _mm_xor_si128((c)->cr[i], (c)->lf[i])
#define ADD_STRAYS(strays, c)                                                                                 \
	(strays = _mm_or_si128(_mm_or_si128(strays, _mm_or_si128(PAIR(c, 0), PAIR(c, 1))),                    \
		 _mm_or_si128(PAIR(c, 2), PAIR(c, 3))))
#define ANY_STRAYS(strays) (!_mm_testz_si128(strays, strays))
typedef __m128i stray_bits;
#endif

/* Finds all line ends up to the blank line's. False: there is a CR or LF alone before, there is no blank line, or it
 * is far. @size: at least LIMIT_MIN. */
INLINE bool
find_ends(const uint8_t *p, size_t size, struct ends *found)
{
	size_t at = 0, last = (size <= PLAIN_SIZE_MAX ? size : PLAIN_SIZE_MAX) - 65;
	uint16_t *out = found->at;
	stray_bits strays = NO_STRAYS;
	uint64_t ends, blank, carry = 0, lf;
	struct crlf c;

	for (;;) {
		ends = crlf_load(p + at, &c);
		blank = ends & (ends << 2 | carry);
		if (unlikely(blank != 0)) {
			lf = step64_is(p + at + 1, '\n');
			break;
		}
		carry = ends >> 62;
		ADD_STRAYS(strays, &c);
		out = put_ends(out, at, ends);
		at += 64;
		if (unlikely(at > last)) {
			/* less than 64 bytes and one: what came before is shifted out */
			size_t shift = at - last;

			if (shift >= 64)
				return false;
			ends = step64_is(p + last, '\r') >> shift;
			lf = step64_is(p + last + 1, '\n') >> shift;
			blank = ends & (ends << 2 | carry);
			if (blank == 0)
				return false;
			break;
		}
	}
	blank ^= blank - 1; /* and what is before it */
	if (unlikely(ANY_STRAYS(strays) || ((ends ^ lf) & blank)))
		return false;
	out = put_ends(out, at, ends & blank);
	found->count = (uint32_t)(out - found->at);
	return true;
}

/* A line whose beginning is in no slot. Returns its id. *@plain: false when it is none that is plain. */
NOINLINE size_t
odd_line(const uint8_t *p, const uint16_t *ends, size_t size, struct bp_sip_header *header, bool *plain)
{
	size_t at = ends[0], next = ends[1];
	struct line_parts parts;

	if (p[at] == ' ' || p[at] == '\t' || !split_line(p, at, next - 2, size, &parts)) {
		*plain = false;
		return BP_SIP_OTHER;
	}
	put_header(header, at, next, &parts);
	return parts.id;
}

/* The slot that this line begins like; NULL when there is none. 16 bytes are read. */
INLINE const struct bp_line_slot *
find_slot(const uint8_t *p)
{
	__m128i line = _mm_loadu_si128((const __m128i *)p);
	const struct bp_line_slot *slot;
	uint32_t first;

	memcpy(&first, p, 4);
	first = (first | 0x20202020) * BP_LINE_FACTOR;
	static_assert(sizeof(*slot) == 64 && BP_LINE_SLOTS == 128, "what is shifted and masked below");
	slot = (const void *)((const uint8_t *)bp_line_slots + (first >> 19 & 0x1fc0));
	for (;;) {
		__m128i text = _mm_or_si128(line, _mm_load_si128((const __m128i *)slot->fold));

		text = _mm_xor_si128(text, _mm_load_si128((const __m128i *)slot->text));
		if (likely(_mm_testz_si128(text, text)))
			return slot;
		if (slot->next == 0)
			return NULL;
		slot = &bp_line_slots[slot->next];
	}
}

/* The line between the two line ends at @ends, for which 16 bytes are there at least. As above. */
INLINE size_t
plain_line(const uint8_t *p, const uint16_t *ends, size_t size, struct bp_sip_header *header, bool *plain)
{
	const uint8_t *line = p + ends[0];
	const struct bp_line_slot *slot = find_slot(line);
	__m128i pair, begin;
	uint32_t both;

	/* white space around the value, or none: not so plain */
	if (unlikely(slot == NULL) || unlikely(line[slot->value] <= ' ') || unlikely(p[ends[1] - 3] <= ' '))
		return odd_line(p, ends, size, header, plain);
	/* {begin, size, begin, 0, begin, size, 0, 0} and what the slot adds */
	memcpy(&both, ends, 4);
	pair = _mm_cvtsi32_si128((int)both);
	begin = _mm_shuffle_epi8(
		pair, _mm_setr_epi8(-1, -1, 0, 1, -1, -1, -1, -1, -1, -1, 0, 1, -1, -1, -1, -1));
	pair = _mm_shuffle_epi8(pair, _mm_setr_epi8(0, 1, 2, 3, 0, 1, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1));
	pair = _mm_add_epi16(_mm_sub_epi16(pair, begin), _mm_load_si128((const __m128i *)slot->header));
	_mm_storeu_si128((__m128i *)header, pair);
	return slot->id;
}

/* Puts the @number-th line, counted from 1, before all others of its id. */
INLINE void
link_line(struct bp_sip_message *m, size_t number, struct bp_sip_header *header, size_t id)
{
	header->next = m->first[id];
	m->first[id] = (uint8_t)number;
}

/* Sets headers_offset, body_offset and headers[]. False: some line is not plain, the long way must be gone;
 * then nothing is changed that counts. */
INLINE bool
plain_lines(struct bp_sip_message *m, const uint8_t *p, size_t size, const struct bp_sip_limits *limits)
{
	struct bp_sip_header *header;
	bool plain = true;
	struct ends ends;
	size_t count;
	size_t i;

	if (unlikely(!find_ends(p, size, &ends)))
		return false;
	count = ends.count - 2; /* without start line and blank line */
	if (unlikely(count > PLAIN_LINES_MAX || count > limits->headers))
		return false;
	m->headers_offset = ends.at[0];
	m->body_offset = ends.at[count + 1];
	m->header_count = (uint8_t)count;
	/* From the last to the first: so each line knows the next of its kind, and who comes last is the first. The
	 * last ones may begin so late that there are no 16 bytes. */
	header = &m->headers[count];
	for (i = count; i > 0 && unlikely(ends.at[i - 1] + 16u > size); i--) {
		header--;
		link_line(m, i, header, odd_line(p, &ends.at[i - 1], size, header, &plain));
	}
	for (; i > 0; i--) {
		header--;
		link_line(m, i, header, plain_line(p, &ends.at[i - 1], size, header, &plain));
	}
	if (likely(plain))
		return true;
	memset(m->first, 0, sizeof(m->first));
	m->headers_offset = 0;
	return false;
}

#endif

#endif
