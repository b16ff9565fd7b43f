/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kept memory changes its class: when blocks ran dry, each worker looks through the free blocks that lie with it for
 * chunks that are free as a whole, and those may be carved anew. Nothing of this costs anything before memory ran dry.
 *
 * A search takes the free list of one class after the other, and goes through it three times, some blocks at each tick:
 * counts the blocks of each chunk; sets aside those of chunks that are complete; gives these chunks away. Meanwhile the
 * worker may take from the lists: such a block is no longer counted, and its chunk stays what it is.
 */
#include "transaction/slab_private.h"

#define STEPS 512 /* blocks at a tick: some ten microseconds */

static uint32_t
number_of(const struct bp_memory *memory, const struct bp_slot *slot)
{
	return (uint32_t)((size_t)((const uint8_t *)slot - memory->kept) / KEPT_CHUNK);
}

/* Of a block in the common part. */
static struct chunk *
chunk_of(const struct bp_memory *memory, const struct bp_slot *slot)
{
	uint32_t number = number_of(memory, slot);

	return number < memory->chunk_count ? &memory->chunks[number] : NULL;
}

static bool
is_complete(const struct bp_memory *memory, const struct bp_slot *slot, uint16_t count)
{
	return count == KEPT_CHUNK / memory->pools[slot->pool].slot_size;
}

static void
give_chunk(struct bp_memory *memory, uint32_t number)
{
	uint64_t head = atomic_load_explicit(&memory->free_chunks, memory_order_relaxed), next;

	do {
		atomic_store_explicit(&memory->chunks[number].next, (uint32_t)head, memory_order_relaxed);
		next = (((head >> 32) + 1) << 32) | (number + 1);
	} while (!atomic_compare_exchange_weak_explicit(
		&memory->free_chunks, &head, next, memory_order_release, memory_order_relaxed));
}

uint8_t *
bp_slab_chunk_take(struct bp_memory *memory)
{
	uint64_t head = atomic_load_explicit(&memory->free_chunks, memory_order_acquire);

	while ((uint32_t)head != 0) {
		uint32_t number = (uint32_t)head - 1;
		uint64_t next = (((head >> 32) + 1) << 32) |
				atomic_load_explicit(&memory->chunks[number].next, memory_order_relaxed);

		if (atomic_compare_exchange_weak_explicit(
			    &memory->free_chunks, &head, next, memory_order_acquire, memory_order_acquire))
			return memory->kept + (size_t)number * KEPT_CHUNK;
	}
	return NULL;
}

static struct bp_slot *
pop(const struct bp_memory *memory, uint32_t *list)
{
	struct bp_slot *slot = slot_of(memory, *list);

	if (slot != NULL) {
		*list = slot->next;
		__builtin_prefetch(slot_of(memory, slot->next));
	}
	return slot;
}

static void
push_done(struct bp_memory *memory, struct sift *sift, struct bp_slot *slot)
{
	slot->next = sift->done;
	sift->done = place_of(memory, slot);
	if (slot->next == 0)
		sift->done_last = sift->done;
}

/* What another worker carved goes to him, who alone can see its chunk complete. */
static void
count_one(struct bp_memory_home *home, struct bp_slot *slot)
{
	struct bp_memory *memory = home->memory;
	struct chunk *chunk = chunk_of(memory, slot);

	if (slot->owner != home->worker) {
		bp_slab_push_returned(memory, &memory->homes[slot->owner].pools[slot->pool], slot, slot);
		return;
	}
	if (chunk != NULL) {
		if (chunk->round != home->sift.round) {
			chunk->round = home->sift.round;
			chunk->counted = 0;
			chunk->leaving = 0;
		}
		chunk->counted++;
	}
	push_done(memory, &home->sift, slot);
}

static void
part_one(struct bp_memory_home *home, struct bp_slot *slot)
{
	struct bp_memory *memory = home->memory;
	struct chunk *chunk = chunk_of(memory, slot);

	if (chunk == NULL || !is_complete(memory, slot, chunk->counted)) {
		push_done(memory, &home->sift, slot);
		return;
	}
	chunk->leaving++;
	slot->next = home->sift.leaving;
	home->sift.leaving = place_of(memory, slot);
}

/* A block was taken while its chunk's others were set aside: then `counted` fell short, and they come back. */
static void
release_one(struct bp_memory_home *home, struct bp_slot *slot)
{
	struct bp_memory *memory = home->memory;
	struct chunk *chunk = chunk_of(memory, slot);

	if (!is_complete(memory, slot, chunk->counted)) {
		push_done(memory, &home->sift, slot);
	} else if (--chunk->leaving == 0) {
		chunk->round = 0; /* its next owner has rounds of his own */
		give_chunk(memory, number_of(memory, slot));
	}
}

/* Back to where they are taken from. */
static void
put_back(struct bp_memory_home *home)
{
	struct sift *sift = &home->sift;
	struct pool_home *mine = &home->pools[sift->id];

	if (sift->done == 0)
		return;
	slot_of(home->memory, sift->done_last)->next = mine->local;
	mine->local = sift->done;
	sift->done = 0;
}

/* The next class that has free blocks; none: the search is over. */
static void
next_class(struct bp_memory_home *home)
{
	struct sift *sift = &home->sift;

	sift->step = SIFT_IDLE;
	while (++sift->id < BP_POOL_COUNT - 1) { /* the largest class is carved aside */
		struct pool_home *mine = &home->pools[sift->id];

		if (mine->local == 0)
			mine->local = atomic_exchange_explicit(&mine->returned, 0, memory_order_acquire);
		if (mine->local == 0)
			continue;
		sift->todo = mine->local;
		mine->local = 0;
		sift->gathered = false;
		sift->step = SIFT_COUNT;
		if (++sift->round == 0)
			sift->round = 1;
		return;
	}
}

static void
next_step(struct bp_memory_home *home)
{
	struct sift *sift = &home->sift;

	switch ((enum sift_step)sift->step) {
	case SIFT_COUNT:
		if (!sift->gathered) { /* once, or it might never end */
			sift->gathered = true;
			sift->todo = atomic_exchange_explicit(
				&home->pools[sift->id].returned, 0, memory_order_acquire);
			break;
		}
		sift->todo = sift->done;
		sift->done = 0;
		sift->step = SIFT_PART;
		break;
	case SIFT_PART:
		sift->todo = sift->leaving;
		sift->leaving = 0;
		sift->step = SIFT_RELEASE;
		break;
	case SIFT_RELEASE:
		put_back(home);
		next_class(home);
		break;
	case SIFT_IDLE:
		break;
	}
}

static void
step(struct bp_memory_home *home)
{
	struct sift *sift = &home->sift;
	struct bp_slot *slot = pop(home->memory, &sift->todo);

	if (slot == NULL)
		next_step(home);
	else if (sift->step == SIFT_COUNT)
		count_one(home, slot);
	else if (sift->step == SIFT_PART)
		part_one(home, slot);
	else
		release_one(home, slot);
}

/* Those that were looked at already are better: in the second pass they are of no complete chunk. */
uint32_t
bp_slab_sift_take(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct sift *sift = &home->sift;
	struct bp_slot *slot;
	struct chunk *chunk;

	if (sift->step == SIFT_IDLE || sift->id != id)
		return 0;
	slot = pop(home->memory, &sift->done);
	if (slot == NULL && sift->step != SIFT_RELEASE)
		slot = pop(home->memory, &sift->todo);
	if (slot == NULL)
		return 0;
	slot->next = 0;
	chunk = chunk_of(home->memory, slot);
	if (chunk != NULL && chunk->round == sift->round)
		chunk->counted--;
	return place_of(home->memory, slot);
}

void
bp_slab_sift(struct bp_memory_home *home)
{
	uint32_t famine = atomic_load_explicit(&home->memory->famine, memory_order_relaxed);
	struct sift *sift = &home->sift;

	home->famine_told = false;
	if (sift->step == SIFT_IDLE) {
		if (famine == sift->famine || home->memory->chunk_count == 0)
			return;
		sift->famine = famine;
		sift->id = BP_POOL_KEPT - 1;
		next_class(home);
	}
	for (unsigned i = 0; i < STEPS && sift->step != SIFT_IDLE; i++)
		step(home);
}
