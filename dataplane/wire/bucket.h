/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A token bucket whose level is kept as time: a token costs 1/rate seconds.
 */
#ifndef BYEPASS_WIRE_BUCKET_H
#define BYEPASS_WIRE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bp_bucket {
	uint64_t credit_us;
	uint64_t last_us;
};

static inline void
bp_bucket_fill(struct bp_bucket *bucket, unsigned per_second, unsigned burst)
{
	bucket->credit_us = (uint64_t)burst * 1000000 / per_second;
}

/* Takes a token; false: there is none. */
static inline bool
bp_bucket_take(struct bp_bucket *bucket, unsigned per_second, unsigned burst, uint64_t now_us)
{
	uint64_t cost_us = 1000000 / per_second, full_us = burst * cost_us;
	uint64_t passed_us = now_us > bucket->last_us ? now_us - bucket->last_us : 0;

	bucket->last_us = now_us;
	bucket->credit_us = passed_us >= full_us || bucket->credit_us + passed_us > full_us
				    ? full_us
				    : bucket->credit_us + passed_us;
	if (bucket->credit_us < cost_us)
		return false;
	bucket->credit_us -= cost_us;
	return true;
}

#endif
