/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What slab.c and slab_recycle.c share: pools, the workers' homes, and the chunks that kept memory is carved in.
 *
 * A chunk of kept memory holds blocks of one class, all carved by one worker. When all of them are with that worker again
 * the chunk may be carved anew, for whatever class runs dry (slab_recycle.c). Blocks of the largest class come out of a
 * part of their own, and small ones leave the last of the common part to the larger.
 */
#ifndef BYEPASS_TRANSACTION_SLAB_PRIVATE_H
#define BYEPASS_TRANSACTION_SLAB_PRIVATE_H

#include "transaction/slab.h"

#define BATCHES 32
#define KEPT_CHUNK 16384
#define KEPT_HUGE_SHARE 16   /* one in so many bytes is for blocks of the largest class */
#define KEPT_HUGE_MOST (64u << 20)
#define KEPT_LARGE 512       /* blocks from this size on may use all chunks */
#define KEPT_LARGE_SHARE 16  /* one in so many bytes is for those */
#define UNIT 32 /* bytes of a place: 32 bits of them reach 128 GiB */

static_assert(BP_POOL_COUNT <= 32, "a bit each in `hungry`");

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

/* One chunk of kept memory; written by the worker that carved it, but for `next`. */
struct chunk {
	_Atomic uint32_t next; /* number of the next free chunk plus one */
	uint32_t round;        /* of its owner's search, in which the blocks were counted */
	uint16_t counted;      /* blocks that were seen free in it */
	uint16_t leaving;      /* blocks that were set aside, because all were free */
};
static_assert(sizeof(struct chunk) == 12, "for each 16 KiB");

enum sift_step { SIFT_IDLE, SIFT_COUNT, SIFT_PART, SIFT_RELEASE };

/* A search through one class after the other, a few blocks at a time, for chunks that are free as a whole. */
struct sift {
	uint32_t famine;   /* that it was begun for */
	uint32_t round;    /* marks chunks; never 0 */
	uint8_t step;      /* enum sift_step */
	uint8_t id;        /* pool whose free blocks are in these lists meanwhile */
	bool gathered;     /* what came back to the worker is among them */
	uint32_t todo;     /* places */
	uint32_t done;
	uint32_t done_last;
	uint32_t leaving;
};

struct bp_memory_home {
	struct bp_memory *memory;
	uint16_t worker;
	bool famine_told; /* since the last flush */
	void (*defer)(void *context, struct bp_batch *batch);
	void *context;
	struct bp_counters *counters;
	struct bp_batch *open;
	struct sift sift;
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
	uint64_t kept_size;           /* of the common part */
	_Atomic uint64_t kept_carved; /* bytes */
	uint64_t huge_size;           /* behind it */
	_Atomic uint64_t huge_carved;
	struct chunk *chunks;         /* of the common part */
	uint32_t chunk_count;
	_Atomic uint64_t free_chunks; /* number of the first plus one; above it, how often it changed */
	_Atomic uint32_t famine;      /* times that kept memory ran dry, by ticks of workers */
	_Atomic uint32_t hungry;      /* pools, by bit, that some worker found dry */
	_Atomic int64_t timer_credit;
	struct bp_memory_home homes[];
};

/* Slots are chained by place, not by pointer: half the header. Place 0 is nobody's. */
static inline uint32_t
place_of(const struct bp_memory *memory, const struct bp_slot *slot)
{
	return slot ? (uint32_t)(((const uint8_t *)slot - memory->region) / UNIT) + 1 : 0;
}

static inline struct bp_slot *
slot_of(const struct bp_memory *memory, uint32_t place)
{
	return place ? (struct bp_slot *)(memory->region + (size_t)(place - 1) * UNIT) : NULL;
}

/* @first to @last go where their owner takes what came back. Any thread. */
void bp_slab_push_returned(
	struct bp_memory *memory, struct pool_home *home, struct bp_slot *first, struct bp_slot *last);

/* A chunk that is free as a whole; NULL: there is none. */
uint8_t *bp_slab_chunk_take(struct bp_memory *memory);

/* One of the free blocks that a search holds, place; 0: none. */
uint32_t bp_slab_sift_take(struct bp_memory_home *home, enum bp_pool_id id);

/* Goes on with the search, or begins one when memory ran dry since the last. Bounded. */
void bp_slab_sift(struct bp_memory_home *home);

#endif
