/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The stage saved and brought back.
 */
#include "stage_inside.h"

#include "slab_inside.h"

#include <stdlib.h>

#define RANGES_MAX 2048
#define STAGE_TAKEN 16 /* blocks of one size that a step takes at most */

struct stage_snapshot {
	struct stage_range ranges[RANGES_MAX];
	unsigned count;
	size_t size, capacity;
	uint8_t *bytes;
};

static void
put_range(struct stage_snapshot *snapshot, void *at, size_t size)
{
	if (size == 0)
		return;
	if (snapshot->count == RANGES_MAX)
		abort();
	snapshot->ranges[snapshot->count++] = (struct stage_range){at, size};
	if (snapshot->size + size > snapshot->capacity) {
		snapshot->capacity = 2 * (snapshot->size + size);
		snapshot->bytes = realloc(snapshot->bytes, snapshot->capacity);
	}
	memcpy(snapshot->bytes + snapshot->size, at, size);
	snapshot->size += size;
}

static void
put_link(void *context, struct bp_slot *slot)
{
	put_range(context, slot, sizeof(*slot));
}

static void
put_block(void *context, struct bp_slot *block)
{
	put_range(context, block, slab_block_size(stage.edge->memory, block));
}

/* Of a chunk: its links, and the entries that are written. */
static void
put_timers(struct stage_snapshot *snapshot)
{
	struct bp_timer_chunk *chunks;
	size_t size;

	chunks = slab_used(stage.edge->memory, BP_POOL_TIMER, &size);
	for (size_t i = 0; i < size / sizeof(*chunks); i++)
		put_range(snapshot, &chunks[i], offsetof(struct bp_timer_chunk, entries));
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		for (unsigned j = 0; j < BP_DURATION_COUNT; j++) {
			const struct bp_timer_fifo *fifo = &stage.engines[i]->timers.fifos[j];

			if (fifo->head != NULL)
				put_range(snapshot, fifo->head->entries, fifo->write * sizeof(struct bp_timer_entry));
		}
}

/* The first slots of each worker: a history uses few, and the last one that came home first. */
static void
put_slots(struct stage_snapshot *snapshot, enum bp_pool_id pool, size_t slot_size)
{
	uint8_t *slots;
	size_t size;

	slots = slab_used(stage.edge->memory, pool, &size);
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		put_range(snapshot, slots + i * size / STAGE_WORKERS, STAGE_SLOTS * slot_size);
}

/* All but responses by status, which are many and not looked at. */
static void
put_counters(struct stage_snapshot *snapshot, uint8_t *counters)
{
	size_t from = offsetof(struct bp_counters, responses);
	size_t to = from + sizeof(((struct bp_counters *)NULL)->responses);

	put_range(snapshot, counters, from);
	put_range(snapshot, counters + to, sizeof(struct bp_counters) - to);
}

void
stage_save(struct stage_snapshot **out)
{
	struct bp_memory *memory = stage.edge->memory;
	struct stage_snapshot *snapshot = *out ? *out : calloc(1, sizeof(*snapshot));
	size_t size;
	void *at;

	snapshot->count = 0;
	snapshot->size = 0;
	at = slab_control(memory, &size);
	put_range(snapshot, at, size);
	put_slots(snapshot, BP_POOL_RECORD, sizeof(struct bp_record));
	put_slots(snapshot, BP_POOL_DIALOG, sizeof(struct bp_dialog));
	put_timers(snapshot);
	slab_each_free_block(memory, STAGE_TAKEN, put_link, snapshot);
	stage_each_block(put_block, snapshot);
	for (unsigned i = 1; i < stage.map_count; i++) /* the tables */
		put_range(snapshot, stage.maps[i].at, stage.maps[i].size);
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		put_range(snapshot, stage.engines[i], offsetof(struct bp_engine, received));
	for (unsigned i = 0; i < STAGE_WORKERS; i++)
		put_counters(snapshot, (uint8_t *)&stage.counters[i]);
	put_range(snapshot, &seen, sizeof(seen));
	*out = snapshot;
}

void
stage_restore(const struct stage_snapshot *snapshot)
{
	const uint8_t *bytes = snapshot->bytes;

	for (unsigned i = 0; i < snapshot->count; i++) {
		memcpy(snapshot->ranges[i].at, bytes, snapshot->ranges[i].size);
		bytes += snapshot->ranges[i].size;
	}
	stage.batch_count = 0;
}

