/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A histogram of 64-bit values with three significant digits, of fixed size: log-linear, like HdrHistogram, which
 * Debian does not have. Below 2048 each value has a bucket of its own, above each power of two has 1024 of
 * them. Values from 2^48 on (a day of cycles) count as 2^48 - 1. No allocation, no state but itself.
 */
#ifndef BYEPASS_BENCH_HISTOGRAM_H
#define BYEPASS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define GEN_HISTOGRAM_DIGITS 10 /* bits of a bucket's place within its power of two */
#define GEN_HISTOGRAM_TOP 48
#define GEN_HISTOGRAM_BUCKETS ((GEN_HISTOGRAM_TOP - GEN_HISTOGRAM_DIGITS + 1) << GEN_HISTOGRAM_DIGITS)

struct gen_histogram {
	uint64_t total, min, max; /* min, max: exact; of an empty one UINT64_MAX and 0 */
	uint32_t counts[GEN_HISTOGRAM_BUCKETS];
};

static inline uint32_t
gen_histogram_bucket(uint64_t value)
{
	unsigned shift;

	if (value >= (uint64_t)1 << GEN_HISTOGRAM_TOP)
		value = ((uint64_t)1 << GEN_HISTOGRAM_TOP) - 1;
	shift = (unsigned)(__builtin_clzll(1u << GEN_HISTOGRAM_DIGITS) -
		__builtin_clzll(value | 1u << GEN_HISTOGRAM_DIGITS));
	return (shift << GEN_HISTOGRAM_DIGITS) + (uint32_t)(value >> shift);
}

/* O(1). A bucket holds at most 2^32 - 1 values. */
static inline void
gen_histogram_record(struct gen_histogram *histogram, uint64_t value)
{
	histogram->counts[gen_histogram_bucket(value)]++;
	histogram->total++;
	if (value > histogram->max)
		histogram->max = value;
	if (value < histogram->min)
		histogram->min = value;
}

void gen_histogram_reset(struct gen_histogram *histogram);
void gen_histogram_add(struct gen_histogram *sum, const struct gen_histogram *more);

/* The value that @percent (0 to 100) of all values do not exceed: the upper end of its bucket, at most the maximum.
 * 0 of an empty one. */
uint64_t gen_histogram_percentile(const struct gen_histogram *histogram, double percent);

#endif
