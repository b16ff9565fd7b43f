/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine's memory: pools of equal slots, made once. A slot's memory keeps its type for
 * ever, so that a stale index or pointer reads a slot of the same kind and its generation
 * tells. Each worker has a free list of its own; freed slots wait for an RCU grace
 * period in a batch and then return to the worker that they came from.
 */
#ifndef BYEPASS_TRANSACTION_SLAB_H
#define BYEPASS_TRANSACTION_SLAB_H

#include "byepass/counters.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu-qsbr.h>

#define BP_KEPT_CLASSES 25 /* 32, 64, 96 ... bytes; the last has room for any message */

enum bp_pool_id {
	BP_POOL_RECORD,
	BP_POOL_DIALOG,
	BP_POOL_TIMER, /* chunks of timer entries */
	BP_POOL_KEPT,  /* BP_POOL_KEPT + class */
	BP_POOL_COUNT = BP_POOL_KEPT + BP_KEPT_CLASSES,
};

/* Begins every slot and is never written by whoever uses the slot, so a batch can chain slots that readers
 * still look at. */
struct bp_slot {
	uint32_t next; /* place of the next slot in a free list or a batch; 0: none */
	uint8_t pool;  /* enum bp_pool_id */
	uint8_t owner; /* worker that carved it */
	uint8_t charged; /* of kept memory: enum bp_transaction_kind plus one; 0: to none */
	uint8_t reserved;
};
static_assert(sizeof(struct bp_slot) == 8, "part of every layout");

/* A message, or a piece of one, that is kept: a request until its answer, a response to repeat. */
struct bp_kept {
	struct bp_slot slot;
	uint16_t size;   /* bytes used */
	uint16_t status; /* of a response; 0: a request */
	uint8_t bytes[];
};

struct bp_memory;      /* shared by all workers */
struct bp_memory_home; /* one worker's free lists and open batch */

struct bp_memory_options {
	uint16_t workers;
	uint32_t slots[BP_POOL_KEPT];      /* of records, dialogs, timer chunks */
	size_t slot_size[BP_POOL_KEPT];    /* bytes, each begins with a bp_slot */
	uint64_t kept_bytes;               /* shared by all kept classes */
	uint64_t timer_credit;             /* timers that may be promised, see timers.h */
	void *(*map)(size_t size);         /* zeroed */
	void (*unmap)(void *memory, size_t size);
};

/* Slots of one pool, by place. */
struct bp_chain {
	uint32_t first, last; /* 0: none */
};

/* Slots freed together. The holder passes it to bp_batch_release() once no reader can see them. */
struct bp_batch {
	struct rcu_head rcu; /* for the holder's use */
	struct bp_memory *memory;
	uint16_t worker; /* that freed them */
	uint32_t count;
	struct bp_chain own[BP_POOL_COUNT]; /* of slots that it carved: go home without being looked at again */
	uint32_t foreign;                   /* place of the first of the others' */
	_Atomic bool away; /* handed over, not yet released */
};

/* 0, -ENOMEM, or -E2BIG: more than 128 GiB in all. Off-worker. */
int bp_memory_create(struct bp_memory **out, const struct bp_memory_options *options);
void bp_memory_free(struct bp_memory *memory);

/* @defer: see bp_engine_hooks.defer. @counters: of this worker; pool_* are written. */
struct bp_memory_home *bp_memory_home(struct bp_memory *memory, uint16_t worker,
	void (*defer)(void *context, struct bp_batch *batch), void *context, struct bp_counters *counters);

/* A slot, its contents as the last user left them. NULL: the pool is dry, which is counted. Worker only. */
struct bp_slot *bp_slot_take(struct bp_memory_home *home, enum bp_pool_id pool);

/* A slot that no reader ever saw, straight back. Worker only. */
void bp_slot_return(struct bp_memory_home *home, struct bp_slot *slot);

/* A slot that readers may still look at: back after a grace period. Worker only. */
void bp_slot_retire(struct bp_memory_home *home, struct bp_slot *slot);

/* Hands the open batch over, if there is one; gives free slots to workers that ran dry; after kept memory ran dry, looks for
 * some that can change its size class. Bounded; called at each tick. */
void bp_memory_flush(struct bp_memory_home *home);

/* Room for a message of @size bytes, at most 65,535. NULL: none. bp_slot_return or _retire it. */
struct bp_kept *bp_kept_take(struct bp_memory_home *home, uint32_t size);

/* As bp_kept_take for any block of @size bytes, the slot at its start included. */
struct bp_slot *bp_block_take(struct bp_memory_home *home, size_t size);

/* A block that was just taken is for transactions of @kind: counted as theirs until it is returned or retired. */
void bp_block_charge(struct bp_memory_home *home, struct bp_slot *slot, enum bp_transaction_kind kind);

/* Index of a slot within its indexed pool. */
uint32_t bp_slot_index(const struct bp_memory *memory, const struct bp_slot *slot);

/* The slot of an indexed pool; NULL when no slot of that index was ever used. Any thread. */
struct bp_slot *bp_slot_at(const struct bp_memory *memory, enum bp_pool_id pool, uint32_t index);

/* Where the slots of an indexed pool begin, and the bytes from one to the next. */
void *bp_pool_slots(const struct bp_memory *memory, enum bp_pool_id pool, size_t *slot_size);

/* Slots of @pool never used so far; a lower bound of what is free. */
uint32_t bp_pool_untouched(const struct bp_memory *memory, enum bp_pool_id pool);

/* What is left of the credit for timers, of all workers; may be overdrawn. */
_Atomic int64_t *bp_memory_timer_credit(struct bp_memory_home *home);

/* Bytes of a slot. */
size_t bp_slot_size(const struct bp_memory *memory, const struct bp_slot *slot);

/* Bytes that a kept message of @size takes, its header and the rounding to a class included. */
size_t bp_kept_footprint(uint32_t size);

/* Any thread, after a grace period. */
void bp_batch_release(struct bp_batch *batch);

/* Each slot of a batch that is away, for tests that look at what is freed. */
void bp_batch_each(const struct bp_batch *batch, void (*each)(void *context, struct bp_slot *slot), void *context);

#endif
