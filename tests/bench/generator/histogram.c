/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading, adding and clearing histograms. See histogram.h.
 */
#include "generator/histogram.h"

#include <math.h>
#include <string.h>

void
gen_histogram_reset(struct gen_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

void
gen_histogram_add(struct gen_histogram *sum, const struct gen_histogram *more)
{
	for (uint32_t i = 0; i < GEN_HISTOGRAM_BUCKETS; i++)
		sum->counts[i] += more->counts[i];
	sum->total += more->total;
	if (more->max > sum->max)
		sum->max = more->max;
	if (more->min < sum->min)
		sum->min = more->min;
}

/* The highest value that falls into the bucket. */
static uint64_t
upper_end(uint32_t bucket)
{
	uint32_t shift = bucket >> GEN_HISTOGRAM_DIGITS;

	if (shift == 0)
		return bucket;
	shift--; /* the bits on top of a bucket's number are one more than the shift */
	return (((uint64_t)bucket - ((uint64_t)shift << GEN_HISTOGRAM_DIGITS) + 1) << shift) - 1;
}

uint64_t
gen_histogram_percentile(const struct gen_histogram *histogram, double percent)
{
	uint64_t wanted = (uint64_t)ceil(percent / 100 * (double)histogram->total - 1e-6), seen = 0;

	if (histogram->total == 0)
		return 0;
	if (wanted == 0)
		return histogram->min;
	for (uint32_t i = 0; i < GEN_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen >= wanted) {
			uint64_t value = upper_end(i);

			return value < histogram->max ? value : histogram->max;
		}
	}
	return histogram->max;
}
