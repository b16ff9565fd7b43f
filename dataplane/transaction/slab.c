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
#define FEED_SLOTS 256 /* that a worker gives away at once */
#define KEPT_SMALLEST 64
#define KEPT_CHUNK 16384
#define UNIT 32 /* bytes of a place: 32 bits of them reach 128 GiB */

static_assert(BP_POOL_COUNT <= 32, "a bit each in `hungry`");
static_assert((int)BP_POOL_KEPT == (int)BP_POOL_KIND_kept, "counted in the order of the pools");

struct pool_home {
	uint32_t local;            /* place; worker: rw */
	_Atomic uint32_t returned; /* place; pushed by any thread, taken whole by a worker */
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
	struct bp_counters *counters;
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
	_Atomic uint32_t hungry;      /* pools, by bit, that some worker found dry */
	_Atomic int64_t timer_credit;
	struct bp_memory_home homes[];
};

/* Slots are chained by place, not by pointer: half the header. Place 0 is nobody's. */
static uint32_t
place_of(const struct bp_memory *memory, const struct bp_slot *slot)
{
	return slot ? (uint32_t)(((const uint8_t *)slot - memory->region) / UNIT) + 1 : 0;
}

static struct bp_slot *
slot_of(const struct bp_memory *memory, uint32_t place)
{
	return place ? (struct bp_slot *)(memory->region + (size_t)(place - 1) * UNIT) : NULL;
}

static size_t
class_size(unsigned class)
{
	return (class & 1) ? (size_t)96 << (class / 2) : (size_t)KEPT_SMALLEST << (class / 2);
}

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
		memory->pools[BP_POOL_KEPT + i].slot_size = class_size((unsigned)i);
	memory->kept = at;
	memory->kept_size = options->kept_bytes;
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

static uint32_t
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
			return 0;
	} while (!atomic_compare_exchange_weak(&memory->kept_carved, &at, at + want));
	return carve_list(home, id, memory->kept + at, (uint32_t)(want / size));
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

static struct bp_slot *
take(struct bp_memory_home *home, enum bp_pool_id id)
{
	struct pool_home *mine = &home->pools[id];
	uint32_t place = mine->local;
	struct bp_slot *slot;

	if (place == 0)
		place = atomic_exchange_explicit(&mine->returned, 0, memory_order_acquire);
	if (place == 0)
		place = id >= BP_POOL_KEPT ? carve_kept(home, id) : carve_indexed(home, id);
	if (place == 0)
		place = take_over(home, id);
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
	struct bp_slot *slot = take(home, id);

	if (slot == NULL)
		bp_count(&home->counters->pool_dry[kind_of(id)], 1);
	return slot;
}

static void
count_returned(struct bp_memory_home *home, const struct bp_slot *slot)
{
	bp_count(&home->counters->pool_returned_bytes[kind_of(slot->pool)],
		home->memory->pools[slot->pool].slot_size);
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

static void
push_returned(struct bp_memory *memory, struct pool_home *home, struct bp_slot *first, struct bp_slot *last)
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
	push_returned(home->memory, mine, first, last);
	atomic_fetch_and_explicit(&home->memory->hungry, ~(1u << id), memory_order_relaxed);
}

void
bp_memory_flush(struct bp_memory_home *home)
{
	uint32_t hungry = atomic_load_explicit(&home->memory->hungry, memory_order_relaxed);

	for (unsigned id = 0; hungry != 0; id++, hungry >>= 1)
		if ((hungry & 1) != 0)
			feed(home, id);

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
			push_returned(memory, &memory->homes[batch->worker].pools[id],
				slot_of(memory, batch->own[id].first), slot_of(memory, batch->own[id].last));
	while (slot != NULL) {
		struct bp_slot *next = slot_of(memory, slot->next);

		push_returned(memory, &memory->homes[slot->owner].pools[slot->pool], slot, slot);
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
	unsigned class = 0;

	if (size > KEPT_SMALLEST)
		class = 2 * (unsigned)(63 - __builtin_clzl(size - 1) - 6) + 1;
	return class_size(class) >= size ? class : class + 1;
}

struct bp_slot *
bp_block_take(struct bp_memory_home *home, size_t size)
{
	struct bp_slot *slot = NULL;

	/* What was carved for a larger class stays there; when all is carved it serves the smaller ones too. */
	for (unsigned class = class_for(size); slot == NULL && class < BP_KEPT_CLASSES; class++)
		slot = take(home, BP_POOL_KEPT + class);
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
	return class_size(class_for(sizeof(struct bp_kept) + size));
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
