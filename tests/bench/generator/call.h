/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A call's slot: what both of its sides remember, in one cache line. A slot is free when its number is 0; free ones
 * are taken last in, first out, so that few calls at once stay in the cache. What has to be kept of the
 * target's bytes (its branch, its Record-Routes) is in blocks of their own, for as long as a message
 * may have to be built from them.
 */
#ifndef BYEPASS_BENCH_CALL_H
#define BYEPASS_BENCH_CALL_H

#include "generator/generator.h"

#include <assert.h>
#include <string.h>

/* A call's number is serial(32) instance(8) index(24). Serials begin at 1. */
#define GEN_INDEX_BITS 24

enum caller_state {
	CALLER_CALLING,    /* INVITE sent, no response yet */
	CALLER_PROCEEDING, /* a provisional response came */
	CALLER_CANCELLING, /* CANCEL sent, not answered yet */
	CALLER_CANCELLED,  /* CANCEL answered, INVITE not yet */
	CALLER_ANSWERED,   /* 200 came, ACK sent; BYE follows */
	CALLER_REQUESTING, /* BYE, OPTIONS or REGISTER sent */
	CALLER_DONE,
};

enum callee_state {
	CALLEE_IDLE,      /* saw nothing of the call */
	CALLEE_WAITING,   /* INVITE came; nothing, or 100, was sent */
	CALLEE_RINGING,   /* 180 sent */
	CALLEE_ANSWERED,  /* 200 sent, ACK is awaited */
	CALLEE_CONFIRMED, /* ACK came, BYE is awaited */
	CALLEE_REFUSED,   /* 487 sent, ACK is awaited */
	CALLEE_DONE,
};

enum call_flags {
	CALL_TIMED = 1,      /* in a FIFO of the timers */
	CALL_FINAL = 2,      /* caller: INVITE has a final response */
	CALL_BYE_SEEN = 4,   /* callee */
	CALL_RANG = 8,       /* caller: a 180 came */
	CALL_RING_NOW = 16,  /* callee of cancel-early: the CANCEL is out, so a 180 may go */
	CALL_REFUSED = 32,   /* callee: 487 was sent */
};

struct call {
	/* who */
	uint64_t number;
	/* when, in TSC cycles; the 32-bit ones in units of 32 cycles */
	uint64_t begun;
	uint32_t request_at, response_at; /* last new request of the caller, response of the callee */
	/* due, in ticks of the timers; 0: nothing is */
	uint32_t caller_due, callee_due, act_due;
	/* place in a FIFO of the timers */
	uint32_t next, previous, timed;
	/* where it stands; failure: enum gen_failure + 1, 0: none so far */
	uint32_t caller_block : 24, scenario : 3, failure : 5;
	uint32_t callee_block : 24, caller_tries : 4, callee_tries : 4;
	uint8_t caller, callee, flags, fifo;
	uint8_t source, trunk; /* places of its ends */
	uint8_t spare[2];
};
static_assert(sizeof(struct call) == GEN_CALL_SIZE, "one cache line");
static_assert(GEN_FAILURE_COUNT < 32 && GEN_SCENARIO_COUNT <= 8, "their fields");

#define BLOCK_NONE 0xffffffu
#define BLOCK_BYTES 252

/* What is kept of a message, and the shape that says what it is. */
struct block {
	uint16_t shape;
	uint16_t size;
	uint8_t bytes[BLOCK_BYTES];
};

struct calls {
	struct call *calls;
	struct block *blocks;
	uint32_t *free_calls, *free_blocks; /* stacks */
	uint32_t free_call_count, free_block_count;
	uint32_t count, block_count, open;
	uint32_t serial;
	uint32_t blocks_peak;
};

/* Memory is taken from the system as it is touched. Returns 0 or -ENOMEM. */
int calls_create(struct calls *calls, uint32_t count);
void calls_free(struct calls *calls);

/* A slot with a new number, everything else but its place in the timers at zero; NULL: none is free. */
static inline struct call *
call_take(struct calls *calls, uint8_t instance)
{
	uint32_t index;
	struct call *call;

	if (calls->free_call_count == 0)
		return NULL;
	index = calls->free_calls[--calls->free_call_count];
	call = &calls->calls[index];
	if (++calls->serial == 0)
		calls->serial = 1;
	call->number = (uint64_t)calls->serial << 32 | (uint64_t)instance << GEN_INDEX_BITS | index;
	call->caller_due = call->callee_due = call->act_due = 0;
	call->failure = 0;
	call->caller_tries = call->callee_tries = 0;
	call->caller_block = call->callee_block = BLOCK_NONE;
	call->caller = CALLER_CALLING;
	call->callee = CALLEE_IDLE;
	call->flags &= CALL_TIMED;
	calls->open++;
	return call;
}

/* The open call of that number, or NULL. */
static inline struct call *
call_find(struct calls *calls, uint64_t number)
{
	uint32_t index = number & (((uint32_t)1 << GEN_INDEX_BITS) - 1);

	if (index >= calls->count || calls->calls[index].number != number)
		return NULL;
	return &calls->calls[index];
}

static inline struct block *
block_take(struct calls *calls, uint32_t *index)
{
	if (calls->free_block_count == 0)
		return NULL;
	*index = calls->free_blocks[--calls->free_block_count];
	if (calls->block_count - calls->free_block_count > calls->blocks_peak)
		calls->blocks_peak = calls->block_count - calls->free_block_count;
	return &calls->blocks[*index];
}

static inline void
block_return(struct calls *calls, uint32_t index)
{
	calls->free_blocks[calls->free_block_count++] = index;
}

static inline void
call_return(struct calls *calls, struct call *call)
{
	calls->free_calls[calls->free_call_count++] = (uint32_t)(call - calls->calls);
	call->number = 0;
	calls->open--;
}

#endif
