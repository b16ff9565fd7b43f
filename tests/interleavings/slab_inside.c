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
each_of_list(
	struct bp_memory *memory, uint32_t place, void (*each)(void *context, struct bp_slot *slot), void *context)
{
	for (struct bp_slot *slot = slot_of(memory, place); slot != NULL; slot = slot_of(memory, slot->next))
		each(context, slot);
}

void
slab_each_free_block(struct bp_memory *memory, void (*each)(void *context, struct bp_slot *slot), void *context)
{
	for (uint16_t i = 0; i < memory->workers; i++)
		for (int id = BP_POOL_KEPT; id < BP_POOL_COUNT; id++) {
			each_of_list(memory, memory->homes[i].pools[id].local, each, context);
			each_of_list(memory, memory->homes[i].pools[id].returned, each, context);
		}
}

size_t
slab_block_size(const struct bp_memory *memory, const struct bp_slot *slot)
{
	return memory->pools[slot->pool].slot_size;
}
