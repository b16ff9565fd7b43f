/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The floors: a copy of the message, and the offsets of its line ends and of the colons in
 * its lines, which is where any parser begins and none can be faster than.
 */
#include "parse.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define OFFSETS_MAX 65536

static uint8_t copy[65536];
static uint16_t offsets[2][OFFSETS_MAX + 64];

static void
no_setup(void)
{
}

static bool
run_memcpy(const uint8_t *bytes, uint32_t size)
{
	memcpy(copy, bytes, size);
	__asm__ volatile("" ::"r"(copy) : "memory");
	return true;
}

const struct parse_parser parse_memcpy = {"memcpy", no_setup, run_memcpy, NULL};

/* Offsets of all bits of @lines, and for each the first colon before it. */
struct found {
	uint16_t *line, *colon;
	uint64_t open; /* all ones: no colon yet in the line that goes on */
};

static inline __attribute__((always_inline)) void
take(struct found *found, uint32_t at, uint64_t lines, uint64_t colons)
{
	uint64_t ends = lines;

	for (; ends; ends &= ends - 1)
		*found->line++ = (uint16_t)(at + (uint32_t)__builtin_ctzll(ends));
	for (;;) {
		uint64_t here = colons & found->open;

		if (here) {
			*found->colon++ = (uint16_t)(at + (uint32_t)__builtin_ctzll(here));
			found->open = 0;
		}
		if (lines == 0)
			break;
		/* what is behind the line's end */
		colons &= ~(lines ^ (lines - 1));
		lines &= lines - 1;
		found->open = UINT64_MAX;
	}
}

static bool
scan_plain(const uint8_t *bytes, uint32_t size)
{
	struct found found = {offsets[0], offsets[1], UINT64_MAX};

	for (uint32_t at = 0; at < size; at++)
		take(&found, at, bytes[at] == '\n', bytes[at] == ':');
	return found.line > offsets[0];
}

#if defined(__x86_64__)

__attribute__((target("avx2,bmi,bmi2"))) static bool
scan_avx2(const uint8_t *bytes, uint32_t size)
{
	struct found found = {offsets[0], offsets[1], UINT64_MAX};
	__m256i line = _mm256_set1_epi8('\n'), colon = _mm256_set1_epi8(':');
	uint32_t at = 0;

	for (; at + 32 <= size; at += 32) {
		__m256i in = _mm256_loadu_si256((const __m256i *)(bytes + at));

		take(&found, at, (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(in, line)),
			(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(in, colon)));
	}
	for (; at < size; at++)
		take(&found, at, bytes[at] == '\n', bytes[at] == ':');
	return found.line > offsets[0];
}

__attribute__((target("avx512f,avx512bw,bmi,bmi2"))) static bool
scan_avx512(const uint8_t *bytes, uint32_t size)
{
	struct found found = {offsets[0], offsets[1], UINT64_MAX};
	__m512i line = _mm512_set1_epi8('\n'), colon = _mm512_set1_epi8(':');

	for (uint32_t at = 0; at < size; at += 64) {
		__mmask64 there = size - at < 64 ? _bzhi_u64(UINT64_MAX, size - at) : UINT64_MAX;
		__m512i in = _mm512_maskz_loadu_epi8(there, bytes + at);

		take(&found, at, _mm512_cmpeq_epi8_mask(in, line), _mm512_cmpeq_epi8_mask(in, colon));
	}
	return found.line > offsets[0];
}

#endif

static bool (*scan)(const uint8_t *bytes, uint32_t size) = scan_plain;

static void
scan_setup(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512bw"))
		scan = scan_avx512;
	else if (__builtin_cpu_supports("avx2"))
		scan = scan_avx2;
#endif
}

static bool
run_scan(const uint8_t *bytes, uint32_t size)
{
	bool found = scan(bytes, size);

	__asm__ volatile("" ::"r"(offsets) : "memory");
	return found;
}

const struct parse_parser parse_scan = {"scan", scan_setup, run_scan, NULL};
