/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See dry.h.
 */
#include "dry.h"

#include <limits.h>

/* The slab as it is, under other names. */
struct bp_slot *plain_slot_take(struct bp_memory_home *home, enum bp_pool_id id);
struct bp_slot *plain_block_take(struct bp_memory_home *home, size_t size);
struct bp_kept *plain_kept_take(struct bp_memory_home *home, uint32_t size);
#define bp_slot_take plain_slot_take
#define bp_block_take plain_block_take
#define bp_kept_take plain_kept_take
#include "transaction/slab.c"
#undef bp_slot_take
#undef bp_block_take
#undef bp_kept_take

#define WORKERS_MAX 4

static unsigned asked, first_dry, last_dry;

void
dry_between(unsigned first, unsigned last)
{
	asked = 0;
	first_dry = first;
	last_dry = last;
}

unsigned
dry_asked(void)
{
	return asked;
}

/* What is hidden while one request is refused: all that is free or may be carved. */
struct hidden {
	uint32_t local[WORKERS_MAX][BP_POOL_COUNT], returned[WORKERS_MAX][BP_POOL_COUNT];
	uint32_t capacity[BP_POOL_COUNT];
	uint8_t sift_step[WORKERS_MAX];
	uint64_t kept_size, huge_size, free_chunks;
};

static void
hide(struct bp_memory *memory, struct hidden *hidden)
{
	if (memory->workers > WORKERS_MAX)
		abort();
	for (unsigned i = 0; i < memory->workers; i++)
		for (unsigned id = 0; id < BP_POOL_COUNT; id++) {
			struct pool_home *home = &memory->homes[i].pools[id];

			hidden->local[i][id] = home->local;
			hidden->returned[i][id] = atomic_load(&home->returned);
			home->local = 0;
			atomic_store(&home->returned, 0);
		}
	for (unsigned id = 0; id < BP_POOL_COUNT; id++) {
		hidden->capacity[id] = memory->pools[id].capacity;
		memory->pools[id].capacity = atomic_load(&memory->pools[id].carved);
	}
	for (unsigned i = 0; i < memory->workers; i++) {
		hidden->sift_step[i] = memory->homes[i].sift.step;
		memory->homes[i].sift.step = SIFT_IDLE;
	}
	hidden->kept_size = memory->kept_size;
	memory->kept_size = atomic_load(&memory->kept_carved);
	hidden->huge_size = memory->huge_size;
	memory->huge_size = atomic_load(&memory->huge_carved);
	hidden->free_chunks = atomic_exchange(&memory->free_chunks, 0);
}

static void
show(struct bp_memory *memory, const struct hidden *hidden)
{
	for (unsigned i = 0; i < memory->workers; i++)
		for (unsigned id = 0; id < BP_POOL_COUNT; id++) {
			memory->homes[i].pools[id].local = hidden->local[i][id];
			atomic_store(&memory->homes[i].pools[id].returned, hidden->returned[i][id]);
		}
	for (unsigned id = 0; id < BP_POOL_COUNT; id++)
		memory->pools[id].capacity = hidden->capacity[id];
	for (unsigned i = 0; i < memory->workers; i++)
		memory->homes[i].sift.step = hidden->sift_step[i];
	memory->kept_size = hidden->kept_size;
	memory->huge_size = hidden->huge_size;
	atomic_store(&memory->free_chunks, hidden->free_chunks);
}

static bool
is_dry(void)
{
	asked++;
	return asked >= first_dry && asked <= last_dry;
}

struct bp_slot *
bp_slot_take(struct bp_memory_home *home, enum bp_pool_id id)
{
	bool dry = is_dry();
	struct hidden hidden;
	struct bp_slot *slot;

	if (dry)
		hide(home->memory, &hidden);
	slot = plain_slot_take(home, id);
	if (dry)
		show(home->memory, &hidden);
	return slot;
}

struct bp_slot *
bp_block_take(struct bp_memory_home *home, size_t size)
{
	bool dry = is_dry();
	struct hidden hidden;
	struct bp_slot *slot;

	if (dry)
		hide(home->memory, &hidden);
	slot = plain_block_take(home, size);
	if (dry)
		show(home->memory, &hidden);
	return slot;
}

struct bp_kept *
bp_kept_take(struct bp_memory_home *home, uint32_t size)
{
	return size > UINT16_MAX ? NULL : (struct bp_kept *)bp_block_take(home, sizeof(struct bp_kept) + size);
}
