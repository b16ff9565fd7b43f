/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Line ends, exactly: which CRLFs end a line, where the blank line is, and the first CR
 * or LF that is none of them. Private to variant.c; fast_lines.h has the short way.
 */
#ifndef BYEPASS_SIP_LINES_H
#define BYEPASS_SIP_LINES_H

#include "sip/vector.h"

/* What goes on from block to block, in registers. */
struct scan_state {
	uint64_t last_cr;
	uint64_t last_ends;
	uint16_t *out;
};

/* One block: @valid has a bit for each byte that is there. True: the blank line was found. */
INLINE bool
scan_block(struct scan_state *state, struct bp_scan_lines *lines, uint32_t base, uint64_t cr, uint64_t lf,
	uint64_t valid)
{
	uint64_t after_cr = cr << 1 | state->last_cr;
	uint64_t ends = lf & after_cr;
	uint64_t stray = (lf ^ after_cr) & valid;
	uint64_t blank = ends & (ends << 2 | state->last_ends >> 62);

	state->last_cr = cr >> 63;
	state->last_ends = ends;
	if (unlikely(blank != 0)) {
		uint64_t upto = blank ^ (blank - 1);

		lines->body = base + (uint32_t)__builtin_ctzll(blank) + 1;
		ends &= upto;
		stray &= upto;
	}
	if (unlikely(stray != 0) && lines->stray == 0)
		lines->stray = base + (uint32_t)__builtin_ctzll(stray) + 1;
	for (; ends; ends &= ends - 1)
		*state->out++ = (uint16_t)(base + (uint32_t)__builtin_ctzll(ends) + 1);
	return blank != 0;
}

/* What is less than a block at the end: the last 64 bytes, shifted, or a copy. */
INLINE void
scan_rest(struct scan_state *state, const uint8_t *bytes, uint32_t at, uint32_t size, struct bp_scan_lines *lines)
{
	uint32_t rest = size - at;
	uint64_t cr, lf;

	if (size >= 64) {
		block(bytes + size - 64, &cr, &lf);
		cr >>= 64 - rest;
		lf >>= 64 - rest;
	} else {
		uint8_t copy[64] = {0};

		memcpy(copy, bytes + at, rest);
		block(copy, &cr, &lf);
	}
	scan_block(state, lines, at, cr, lf, UINT64_MAX >> (64 - rest));
}

static void
scan_lines(const uint8_t *bytes, uint32_t size, struct bp_scan_lines *lines)
{
	struct scan_state state = {lines->last_cr, lines->last_ends, lines->ends};
	const uint16_t *enough = lines->ends + BP_SCAN_LINES;
	uint32_t at = lines->at;
	bool blank = false;
	uint64_t cr, lf;

	while (at + 64 <= size && state.out < enough && !blank) {
		block(bytes + at, &cr, &lf);
		blank = scan_block(&state, lines, at, cr, lf, UINT64_MAX);
		at += 64;
	}
	if (!blank && at < size && at + 64 > size) {
		scan_rest(&state, bytes, at, size, lines);
		at = size;
	}
	lines->at = blank ? size : at;
	lines->last_cr = state.last_cr;
	lines->last_ends = state.last_ends;
	lines->count = (uint32_t)(state.out - lines->ends);
}

#endif
