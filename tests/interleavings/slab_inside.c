/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See slab_inside.h.
 */
#include "slab_inside.h"

#include "transaction/slab.c"

void *
slab_control(struct bp_memory *memory, size_t *size)
{
	*size = sizeof(*memory) + memory->workers * sizeof(memory->homes[0]);
	return memory;
}

void *
slab_used(struct bp_memory *memory, enum bp_pool_id id, size_t *size)
{
	*size = memory->pools[id].carved * memory->pools[id].slot_size;
	return memory->pools[id].base;
}

static void
each_of_list(struct bp_memory *memory, uint32_t place, unsigned most,
	void (*each)(void *context, struct bp_slot *slot), void *context)
{
	for (struct bp_slot *slot = slot_of(memory, place); slot != NULL && most-- > 0; slot = slot_of(memory, slot->next))
		each(context, slot);
}

void
slab_each_free(struct bp_memory *memory, enum bp_pool_id pool, unsigned most,
	void (*each)(void *context, struct bp_slot *slot), void *context)
{
	for (uint16_t i = 0; i < memory->workers; i++) {
		each_of_list(memory, memory->homes[i].pools[pool].local, most, each, context);
		each_of_list(memory, memory->homes[i].pools[pool].returned, most, each, context);
	}
}

void
slab_each_free_block(
	struct bp_memory *memory, unsigned most, void (*each)(void *context, struct bp_slot *slot), void *context)
{
	for (unsigned id = BP_POOL_KEPT; id < BP_POOL_COUNT; id++)
		slab_each_free(memory, (enum bp_pool_id)id, most, each, context);
}

size_t
slab_block_size(const struct bp_memory *memory, const struct bp_slot *slot)
{
	return memory->pools[slot->pool].slot_size;
}
