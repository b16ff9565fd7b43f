/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dataplane/transaction/slab.c with a view of its inside, for snapshots: a snapshot must hold the links of free slots,
 * but not their bytes.
 */
#ifndef BYEPASS_INTERLEAVINGS_SLAB_INSIDE_H
#define BYEPASS_INTERLEAVINGS_SLAB_INSIDE_H

#include "transaction/slab.h"

/* The struct bp_memory itself. */
void *slab_control(struct bp_memory *memory, size_t *size);

/* Slots of an indexed pool that were ever used: those are behind each other. */
void *slab_used(struct bp_memory *memory, enum bp_pool_id pool, size_t *size);

/* The first @most slots of each worker's free lists of a pool. All batches are released. */
void slab_each_free(struct bp_memory *memory, enum bp_pool_id pool, unsigned most,
	void (*each)(void *context, struct bp_slot *slot), void *context);

/* The same of all kept memory; those behind them do not change while no more are taken. */
void slab_each_free_block(
	struct bp_memory *memory, unsigned most, void (*each)(void *context, struct bp_slot *slot), void *context);

/* Bytes of a block, its slot included. */
size_t slab_block_size(const struct bp_memory *memory, const struct bp_slot *slot);

#endif
