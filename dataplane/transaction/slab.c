/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pools of slots. A worker takes from its own list; when that is empty, from what came
 * back to it; then it carves new slots; last, it takes over what came back to another worker.
 */
#include "transaction/slab_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BATCH_SLOTS 64
#define CARVE_SLOTS 32
#define FEED_SLOTS 256 /* that a worker gives away at once */

static_assert((int)BP_POOL_KEPT == (int)BP_POOL_KIND_kept, "counted in the order of the pools");

/* Classes of kept memory: steps of 32 bytes, then eight and at last two to each doubling. The last holds any message. */
static const uint32_t class_sizes[] = {32, 64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1536,
	2048, 3072, 4096, 6144, 8192, 12288, 16384, 81920};
#define HUGE_CLASS (BP_KEPT_CLASSES - 1)

static_assert(sizeof(class_sizes) / sizeof(class_sizes[0]) == BP_KEPT_CLASSES, "one each");

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

/* Blocks, blocks of the largest class, and what there is to know about chunks. */
static void
divide_kept(struct bp_memory *memory, uint8_t *at, uint64_t size)
{
	uint64_t chunks = size / (KEPT_CHUNK + sizeof(struct chunk)), huge = size / KEPT_HUGE_SHARE;

	if (huge > KEPT_HUGE_MOST)
		huge = KEPT_HUGE_MOST;
	huge -= huge % class_sizes[HUGE_CLASS];
	if (chunks > 0)
		size = (size - chunks * sizeof(struct chunk)) & ~UINT64_C(63);
	memory->kept = at;
	memory->kept_size = size - huge;
	memory->huge_size = huge;
	memory->chunks = (struct chunk *)(at + size);
	memory->chunk_count = (uint32_t)(memory->kept_size / KEPT_CHUNK);
	if (memory->chunk_count > chunks)
		memory->chunk_count = (uint32_t)chunks;
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
	if (size / UNIT >= UINT32_MAX) /* more than a place can name */
		return -E2BIG;
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
		memory->pools[BP_POOL_KEPT + i].slot_size = class_sizes[i];
	divide_kept(memory, at, options->kept_bytes);
	atomic_store(&memory->timer_credit, (int64_t)options->timer_credit);
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
	void (*defer)(void *context, struct bp_batch *batch), void *context, struct bp_counters *counters)
{
	struct bp_memory_home *home = &memory->homes[worker];

	home->memory = memory;
	home->worker = worker;
	home->defer = defer;
	home->context = context;
	home->counters = counters;
	for (int i = 0; i < BATCHES; i++)
		home->batches[i] = (struct bp_batch){.memory = memory, .worker = worker};
	home->open = &home->batches[0];
	return home;
}

/* Takes @count new slots from @base on as one list. */
static uint32_t
carve_list(struct bp_memory_home *home, enum bp_pool_id id, uint8_t *base, uint32_t count)
{
	size_t size = home->memory->pools[id].slot_size;
	uint32_t list = 0;

	for (uint32_t i = count; i-- > 0;) {
		struct bp_slot *slot = (struct bp_slot *)(base + i * size);

		slot->pool = (uint8_t)id;
		slot->owner = (uint8_t)home->worker;
		slot->charged = 0;
		slot->next = list;
		list = place_of(home->memory, slot);
	}
	return list;
}

static uint32_t
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
			return 0;
	} while (!atomic_compare_exchange_weak(&pool->carved, &first, first + count));
	return carve_list(home, id, pool->base + (size_t)first * pool->slot_size, count);
}

/* The next @want bytes of a part of which @limit may be used, or what is left in whole blocks of @size. Returns how many
 * bytes. */
static uint64_t
carve_part(_Atomic uint64_t *carved, uint64_t limit, uint64_t want, uint64_t size, uint64_t *from)
{
	uint64_t at = atomic_load_explicit(carved, memory_order_relaxed);

	do {
		if (at >= limit)
			return 0;
		if (limit - at < want)
			want = (limit - at) / size * size;
		if (want == 0)
			return 0;
	} while (!atomic_compare_exchange_weak(carved, &at, at + want));
	*from = at;
	return want;
}

static uint32_t
carve_huge(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct bp_memory *memory = home->memory;
	uint64_t size = class_sizes[HUGE_CLASS], at;

	if (carve_part(&memory->huge_carved, memory->huge_size, size, size, &at) != 0)
		return carve_list(home, id, memory->kept + memory->kept_size + at, 1);
	if (memory->huge_size == 0 && carve_part(&memory->kept_carved, memory->kept_size, size, size, &at) != 0)
		return carve_list(home, id, memory->kept + at, 1);
	return 0;
}

static uint32_t
carve_kept(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct bp_memory *memory = home->memory;
	uint64_t size = memory->pools[id].slot_size, limit = memory->kept_size, at, got;
	uint8_t *chunk;

	if (id == BP_POOL_KEPT + HUGE_CLASS)
		return carve_huge(home, id);
	chunk = bp_slab_chunk_take(memory);
	if (chunk != NULL)
		return carve_list(home, id, chunk, (uint32_t)(KEPT_CHUNK / size));
	if (size < KEPT_LARGE)
		limit -= limit / KEPT_LARGE_SHARE / KEPT_CHUNK * KEPT_CHUNK;
	got = carve_part(&memory->kept_carved, limit, KEPT_CHUNK, size, &at);
	return got ? carve_list(home, id, memory->kept + at, (uint32_t)(got / size)) : 0;
}

/* Bounded by the number of workers: the last resort of one that ran dry. */
static uint32_t
take_over(struct bp_memory_home *home, enum bp_pool_id id)
{
	for (uint16_t i = 1; i < home->memory->workers; i++) {
		uint16_t other = (uint16_t)((home->worker + i) % home->memory->workers);
		uint32_t list = atomic_exchange(&home->memory->homes[other].pools[id].returned, 0);

		if (list != 0)
			return list;
	}
	return 0;
}

static enum bp_pool_kind
kind_of(unsigned id)
{
	return (enum bp_pool_kind)(id < BP_POOL_KEPT ? id : BP_POOL_KEPT);
}

/* Who takes the next slot writes to its beginning; of records and dialogs to all of it. They were not looked at since
 * they were given back. */
static inline void
prefetch(const struct bp_memory *memory, uint32_t place, enum bp_pool_id id)
{
	const uint8_t *slot = (const uint8_t *)slot_of(memory, place);

	__builtin_prefetch(slot, 1);
	if (id != BP_POOL_TIMER)
		__builtin_prefetch(slot + 64, 1);
}

static uint32_t
refill(struct bp_memory_home *home, enum bp_pool_id id, bool carve)
{
	uint32_t place = bp_slab_sift_take(home, id);

	if (place == 0 && carve)
		place = id >= BP_POOL_KEPT ? carve_kept(home, id) : carve_indexed(home, id);
	return place ? place : take_over(home, id);
}

static struct bp_slot *
take(struct bp_memory_home *home, enum bp_pool_id id, bool carve)
{
	struct pool_home *mine = &home->pools[id];
	uint32_t place = mine->local;
	struct bp_slot *slot;

	if (place == 0)
		place = atomic_exchange_explicit(&mine->returned, 0, memory_order_acquire);
	if (place == 0)
		place = refill(home, id, carve);
	slot = slot_of(home->memory, place);
	if (slot == NULL) {
		atomic_fetch_or_explicit(&home->memory->hungry, 1u << id, memory_order_relaxed);
		return NULL;
	}
	mine->local = slot->next;
	if (mine->local != 0)
		prefetch(home->memory, mine->local, id);
	bp_count(&home->counters->pool_taken_bytes[kind_of(id)], home->memory->pools[id].slot_size);
	return slot;
}

struct bp_slot *
bp_slot_take(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct bp_slot *slot = take(home, id, true);

	if (slot == NULL)
		bp_count(&home->counters->pool_dry[kind_of(id)], 1);
	return slot;
}

static void
count_returned(struct bp_memory_home *home, struct bp_slot *slot)
{
	size_t size = home->memory->pools[slot->pool].slot_size;

	bp_count(&home->counters->pool_returned_bytes[kind_of(slot->pool)], size);
	if (slot->charged == 0)
		return;
	bp_count(&home->counters->kept_returned_bytes[slot->charged - 1], size);
	slot->charged = 0;
}

void
bp_block_charge(struct bp_memory_home *home, struct bp_slot *slot, enum bp_transaction_kind kind)
{
	slot->charged = (uint8_t)(kind + 1);
	bp_count(&home->counters->kept_taken_bytes[kind], home->memory->pools[slot->pool].slot_size);
}

void
bp_slot_return(struct bp_memory_home *home, struct bp_slot *slot)
{
	if (slot == NULL)
		return;
	count_returned(home, slot);
	slot->next = home->pools[slot->pool].local;
	home->pools[slot->pool].local = place_of(home->memory, slot);
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
	count_returned(home, slot);
	if (slot->owner == home->worker) {
		struct bp_chain *own = &home->open->own[slot->pool];

		slot->next = own->first;
		own->first = place_of(home->memory, slot);
		if (slot->next == 0)
			own->last = own->first;
	} else {
		slot->next = home->open->foreign;
		home->open->foreign = place_of(home->memory, slot);
	}
	if (++home->open->count >= BATCH_SLOTS)
		hand_over(home);
}

void
bp_slab_push_returned(struct bp_memory *memory, struct pool_home *home, struct bp_slot *first, struct bp_slot *last)
{
	last->next = atomic_load_explicit(&home->returned, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&home->returned, &last->next, place_of(memory, first),
		memory_order_release, memory_order_relaxed))
		;
}

/* A worker ran dry while we may have free slots that it cannot reach: some go where it can take them over. */
static void
feed(struct bp_memory_home *home, unsigned id)
{
	struct pool_home *mine = &home->pools[id];
	struct bp_slot *first = slot_of(home->memory, mine->local), *last = first;

	if (first == NULL)
		return;
	for (unsigned i = 1; i < FEED_SLOTS && last->next != 0; i++)
		last = slot_of(home->memory, last->next);
	mine->local = last->next;
	bp_slab_push_returned(home->memory, mine, first, last);
	atomic_fetch_and_explicit(&home->memory->hungry, ~(1u << id), memory_order_relaxed);
}

void
bp_memory_flush(struct bp_memory_home *home)
{
	uint32_t hungry = atomic_load_explicit(&home->memory->hungry, memory_order_relaxed);

	for (unsigned id = 0; hungry != 0; id++, hungry >>= 1)
		if ((hungry & 1) != 0)
			feed(home, id);
	bp_slab_sift(home);
	if (home->open->count > 0)
		hand_over(home);
}

void
bp_batch_release(struct bp_batch *batch)
{
	struct bp_memory *memory = batch->memory;
	struct bp_slot *slot = slot_of(memory, batch->foreign);

	for (unsigned id = 0; id < BP_POOL_COUNT; id++)
		if (batch->own[id].first != 0)
			bp_slab_push_returned(memory, &memory->homes[batch->worker].pools[id],
				slot_of(memory, batch->own[id].first), slot_of(memory, batch->own[id].last));
	while (slot != NULL) {
		struct bp_slot *next = slot_of(memory, slot->next);

		bp_slab_push_returned(memory, &memory->homes[slot->owner].pools[slot->pool], slot, slot);
		slot = next;
	}
	memset(batch->own, 0, sizeof(batch->own));
	batch->foreign = 0;
	batch->count = 0;
	atomic_store_explicit(&batch->away, false, memory_order_release);
}

static void
each_of(const struct bp_batch *batch, uint32_t place, void (*each)(void *context, struct bp_slot *slot), void *context)
{
	for (struct bp_slot *slot = slot_of(batch->memory, place); slot != NULL;) {
		struct bp_slot *next = slot_of(batch->memory, slot->next);

		each(context, slot);
		slot = next;
	}
}

void
bp_batch_each(const struct bp_batch *batch, void (*each)(void *context, struct bp_slot *slot), void *context)
{
	for (unsigned id = 0; id < BP_POOL_COUNT; id++)
		each_of(batch, batch->own[id].first, each, context);
	each_of(batch, batch->foreign, each, context);
}

/* The smallest class of at least @size bytes. */
static unsigned
class_for(size_t size)
{
	unsigned doublings;

	if (size <= 256)
		return (unsigned)(size - 1) / 32;
	if (size <= 1024)
		return size <= 512 ? 8 + (unsigned)(size - 257) / 64 : 12 + (unsigned)(size - 513) / 128;
	if (size > class_sizes[HUGE_CLASS - 1])
		return HUGE_CLASS;
	doublings = 63 - (unsigned)__builtin_clzl(size - 1) - 10;
	return 16 + 2 * doublings + (size > (size_t)1536 << doublings);
}

/* The workers go and look for memory that can be used anew. Told once a tick: others write there too. */
static void
tell_famine(struct bp_memory_home *home)
{
	if (home->famine_told)
		return;
	home->famine_told = true;
	atomic_fetch_add_explicit(&home->memory->famine, 1, memory_order_relaxed);
}

struct bp_slot *
bp_block_take(struct bp_memory_home *home, size_t size)
{
	unsigned class = class_for(size), end = class == HUGE_CLASS ? class + 1 : HUGE_CLASS;
	struct bp_slot *slot = take(home, BP_POOL_KEPT + class, true);

	if (slot != NULL)
		return slot;
	tell_famine(home);
	/* All is carved: free blocks of larger classes serve the smaller ones too. */
	while (slot == NULL && ++class < end)
		slot = take(home, BP_POOL_KEPT + class, false);
	if (slot == NULL)
		bp_count(&home->counters->pool_dry[BP_POOL_KIND_kept], 1);
	return slot;
}

struct bp_kept *
bp_kept_take(struct bp_memory_home *home, uint32_t size)
{
	return size > UINT16_MAX ? NULL : (struct bp_kept *)bp_block_take(home, sizeof(struct bp_kept) + size);
}

size_t
bp_kept_footprint(uint32_t size)
{
	return class_sizes[class_for(sizeof(struct bp_kept) + size)];
}

size_t
bp_slot_size(const struct bp_memory *memory, const struct bp_slot *slot)
{
	return memory->pools[slot->pool].slot_size;
}

uint32_t
bp_slot_index(const struct bp_memory *memory, const struct bp_slot *slot)
{
	const struct pool *pool = &memory->pools[slot->pool];

	return (uint32_t)((size_t)((const uint8_t *)slot - pool->base) / pool->slot_size);
}

struct bp_slot *
bp_slot_at(const struct bp_memory *memory, enum bp_pool_id id, uint32_t index)
{
	const struct pool *pool = &memory->pools[id];

	if (index >= atomic_load_explicit(&pool->carved, memory_order_acquire))
		return NULL;
	return (struct bp_slot *)(pool->base + (size_t)index * pool->slot_size);
}

void *
bp_pool_slots(const struct bp_memory *memory, enum bp_pool_id id, size_t *slot_size)
{
	*slot_size = memory->pools[id].slot_size;
	return memory->pools[id].base;
}

uint32_t
bp_pool_untouched(const struct bp_memory *memory, enum bp_pool_id id)
{
	const struct pool *pool = &memory->pools[id];

	return pool->capacity - atomic_load_explicit(&pool->carved, memory_order_relaxed);
}

_Atomic int64_t *
bp_memory_timer_credit(struct bp_memory_home *home)
{
	return &home->memory->timer_credit;
}
