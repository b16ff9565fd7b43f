/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pools of slots. A worker takes from its own list; when that is empty, from what came
 * back to it; then it carves new slots; last, it takes over what came back to another worker.
 */
#include "transaction/slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BATCHES 32
#define BATCH_SLOTS 64
#define CARVE_SLOTS 32
#define KEPT_SMALLEST 512
#define KEPT_CHUNK 65536

struct pool_home {
	struct bp_slot *local;               /* worker: rw */
	_Atomic(struct bp_slot *) returned; /* pushed by any thread, taken whole by a worker */
} __attribute__((aligned(64)));

struct pool {
	uint8_t *base;
	size_t slot_size;
	uint32_t capacity;
	_Atomic uint32_t carved; /* slots that were ever used; for kept classes unused */
};

struct bp_memory_home {
	struct bp_memory *memory;
	uint16_t worker;
	void (*defer)(void *context, struct bp_batch *batch);
	void *context;
	struct bp_batch *open;
	struct bp_batch batches[BATCHES];
	struct pool_home pools[BP_POOL_COUNT];
};

struct bp_memory {
	void (*unmap)(void *memory, size_t size);
	uint8_t *region;
	size_t region_size;
	uint16_t workers;
	struct pool pools[BP_POOL_COUNT];
	uint8_t *kept;
	uint64_t kept_size;
	_Atomic uint64_t kept_carved; /* bytes */
	struct bp_memory_home homes[];
};

static void *
map_plain(size_t size)
{
	void *memory = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void
unmap_plain(void *memory, size_t size)
{
	munmap(memory, size);
}

static size_t
round_up(size_t size)
{
	return (size + 4095) & ~(size_t)4095;
}

int
bp_memory_create(struct bp_memory **out, const struct bp_memory_options *options)
{
	size_t homes = sizeof(struct bp_memory_home) * options->workers;
	size_t size = round_up(options->kept_bytes);
	struct bp_memory *memory;
	uint8_t *at;

	for (int i = 0; i < BP_POOL_KEPT; i++)
		size += round_up(options->slot_size[i] * options->slots[i]);
	memory = aligned_alloc(64, (sizeof(*memory) + homes + 63) & ~(size_t)63);
	if (memory == NULL)
		return -ENOMEM;
	memset(memory, 0, sizeof(*memory) + homes);
	memory->workers = options->workers;
	memory->unmap = options->map ? options->unmap : unmap_plain;
	memory->region_size = size;
	memory->region = options->map ? options->map(size) : map_plain(size);
	if (memory->region == NULL) {
		free(memory);
		return -ENOMEM;
	}
	at = memory->region;
	for (int i = 0; i < BP_POOL_KEPT; i++) {
		memory->pools[i].base = at;
		memory->pools[i].slot_size = options->slot_size[i];
		memory->pools[i].capacity = options->slots[i];
		at += round_up(options->slot_size[i] * options->slots[i]);
	}
	for (int i = 0; i < BP_KEPT_CLASSES; i++)
		memory->pools[BP_POOL_KEPT + i].slot_size = ((size_t)KEPT_SMALLEST << i) + 64;
	memory->kept = at;
	memory->kept_size = options->kept_bytes;
	*out = memory;
	return 0;
}

void
bp_memory_free(struct bp_memory *memory)
{
	if (memory == NULL)
		return;
	memory->unmap(memory->region, memory->region_size);
	free(memory);
}

struct bp_memory_home *
bp_memory_home(struct bp_memory *memory, uint16_t worker,
	void (*defer)(void *context, struct bp_batch *batch), void *context)
{
	struct bp_memory_home *home = &memory->homes[worker];

	home->memory = memory;
	home->worker = worker;
	home->defer = defer;
	home->context = context;
	for (int i = 0; i < BATCHES; i++)
		home->batches[i].memory = memory;
	home->open = &home->batches[0];
	return home;
}

/* Takes @count new slots from the region as one list. */
static struct bp_slot *
carve_list(struct bp_memory_home *home, enum bp_pool_id id, uint8_t *base, uint32_t first, uint32_t count)
{
	size_t size = home->memory->pools[id].slot_size;
	struct bp_slot *list = NULL;

	for (uint32_t i = count; i-- > 0;) {
		struct bp_slot *slot = (struct bp_slot *)(base + i * size);

		slot->index = first + i;
		slot->pool = (uint8_t)id;
		slot->owner = (uint8_t)home->worker;
		slot->next = list;
		list = slot;
	}
	return list;
}

static struct bp_slot *
carve_indexed(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct pool *pool = &home->memory->pools[id];
	uint32_t first = atomic_load_explicit(&pool->carved, memory_order_relaxed);
	uint32_t count;

	do {
		count = pool->capacity - first;
		if (count > CARVE_SLOTS)
			count = CARVE_SLOTS;
		if (count == 0)
			return NULL;
	} while (!atomic_compare_exchange_weak(&pool->carved, &first, first + count));
	return carve_list(home, id, pool->base + (size_t)first * pool->slot_size, first, count);
}

static struct bp_slot *
carve_kept(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct bp_memory *memory = home->memory;
	size_t size = memory->pools[id].slot_size;
	uint64_t want = size >= KEPT_CHUNK / 4 ? size : KEPT_CHUNK / size * size;
	uint64_t at = atomic_load_explicit(&memory->kept_carved, memory_order_relaxed);

	do {
		if (memory->kept_size - at < want)
			want = (memory->kept_size - at) / size * size;
		if (want == 0)
			return NULL;
	} while (!atomic_compare_exchange_weak(&memory->kept_carved, &at, at + want));
	return carve_list(home, id, memory->kept + at, 0, (uint32_t)(want / size));
}

/* Bounded by the number of workers: the last resort of one that ran dry. */
static struct bp_slot *
take_over(struct bp_memory_home *home, enum bp_pool_id id)
{
	for (uint16_t i = 1; i < home->memory->workers; i++) {
		uint16_t other = (uint16_t)((home->worker + i) % home->memory->workers);
		struct bp_slot *list =
			atomic_exchange(&home->memory->homes[other].pools[id].returned, NULL);

		if (list != NULL)
			return list;
	}
	return NULL;
}

struct bp_slot *
bp_slot_take(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct pool_home *mine = &home->pools[id];
	struct bp_slot *slot = mine->local;

	if (slot == NULL)
		slot = atomic_exchange_explicit(&mine->returned, NULL, memory_order_acquire);
	if (slot == NULL)
		slot = id >= BP_POOL_KEPT ? carve_kept(home, id) : carve_indexed(home, id);
	if (slot == NULL)
		slot = take_over(home, id);
	if (slot != NULL)
		mine->local = slot->next;
	return slot;
}

void
bp_slot_return(struct bp_memory_home *home, struct bp_slot *slot)
{
	if (slot == NULL)
		return;
	slot->next = home->pools[slot->pool].local;
	home->pools[slot->pool].local = slot;
}

/* The open batch stays open while no other is at hand: it then simply grows. */
static void
hand_over(struct bp_memory_home *home)
{
	struct bp_batch *batch = home->open;

	for (int i = 0; i < BATCHES; i++) {
		struct bp_batch *spare = &home->batches[i];

		if (spare == batch || atomic_load_explicit(&spare->away, memory_order_acquire))
			continue;
		spare->first = NULL;
		spare->count = 0;
		home->open = spare;
		atomic_store_explicit(&batch->away, true, memory_order_relaxed);
		home->defer(home->context, batch);
		return;
	}
}

void
bp_slot_retire(struct bp_memory_home *home, struct bp_slot *slot)
{
	if (slot == NULL)
		return;
	slot->next = home->open->first;
	home->open->first = slot;
	if (++home->open->count >= BATCH_SLOTS)
		hand_over(home);
}

void
bp_memory_flush(struct bp_memory_home *home)
{
	if (home->open->count > 0)
		hand_over(home);
}

void
bp_batch_release(struct bp_batch *batch)
{
	struct bp_slot *slot = batch->first;

	while (slot != NULL) {
		struct bp_slot *next = slot->next;
		_Atomic(struct bp_slot *) *home =
			&batch->memory->homes[slot->owner].pools[slot->pool].returned;

		slot->next = atomic_load_explicit(home, memory_order_relaxed);
		while (!atomic_compare_exchange_weak_explicit(
			home, &slot->next, slot, memory_order_release, memory_order_relaxed))
			;
		slot = next;
	}
	batch->first = NULL;
	batch->count = 0;
	atomic_store_explicit(&batch->away, false, memory_order_release);
}

struct bp_kept *
bp_kept_take(struct bp_memory_home *home, uint32_t size)
{
	enum bp_pool_id id = BP_POOL_KEPT;

	if (size > UINT16_MAX)
		return NULL;
	while (size > (uint32_t)KEPT_SMALLEST << (id - BP_POOL_KEPT))
		id++;
	return (struct bp_kept *)bp_slot_take(home, id);
}

struct bp_slot *
bp_slot_at(const struct bp_memory *memory, enum bp_pool_id id, uint32_t index)
{
	const struct pool *pool = &memory->pools[id];

	if (index >= atomic_load_explicit(&pool->carved, memory_order_acquire))
		return NULL;
	return (struct bp_slot *)(pool->base + (size_t)index * pool->slot_size);
}

uint32_t
bp_pool_untouched(const struct bp_memory *memory, enum bp_pool_id id)
{
	const struct pool *pool = &memory->pools[id];

	return pool->capacity - atomic_load_explicit(&pool->carved, memory_order_relaxed);
}
