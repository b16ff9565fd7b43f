/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small pools for the tests of this folder; batches wait in `batches` until released.
 */
#ifndef BYEPASS_TESTS_TRANSACTION_POOLS_H
#define BYEPASS_TESTS_TRANSACTION_POOLS_H

#include "transaction/record.h"
#include "transaction/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct pools {
	struct bp_memory *memory;
	struct bp_memory_home *homes[2];
	struct bp_counters counters[2];
	struct bp_batch *batches[64];
	unsigned batch_count;
};

static inline void
pools_defer(void *context, struct bp_batch *batch)
{
	struct pools *pools = context;

	assert_in_range(pools->batch_count, 0, 63);
	pools->batches[pools->batch_count++] = batch;
}

static inline void
pools_release(struct pools *pools)
{
	while (pools->batch_count > 0)
		bp_batch_release(pools->batches[--pools->batch_count]);
}

static inline void
pools_create(struct pools *pools, uint32_t records, uint32_t timer_chunks, uint64_t kept_bytes)
{
	struct bp_memory_options options = {
		.workers = 2,
		.slots = {records, 4, timer_chunks},
		.slot_size = {sizeof(struct bp_record), 512, 4096},
		.kept_bytes = kept_bytes,
	};

	memset(pools, 0, sizeof(*pools));
	assert_int_equal(bp_memory_create(&pools->memory, &options), 0);
	for (uint16_t i = 0; i < 2; i++)
		pools->homes[i] = bp_memory_home(pools->memory, i, pools_defer, pools, &pools->counters[i]);
}

#endif
