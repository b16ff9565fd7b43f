/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers as places in FIFOs: SIP's durations are constants, so one FIFO per duration is
 * sorted by itself. Arm = append, expire = look at the heads. Nothing is ever
 * cancelled: an entry that is no longer wanted finds a state that ignores it. Any other
 * deadline is reached in hops through the constant ones. One set per worker.
 */
#ifndef BYEPASS_TRANSACTION_TIMERS_H
#define BYEPASS_TRANSACTION_TIMERS_H

#include "byepass/config.h"
#include "transaction/slab.h"

/* Timers keep their RFC letters (RFC 3261 table 4, RFC 6026). CANCEL_E/F/K are E, F and K of the CANCEL that a
 * client branch sends, CANCEL_J is J of the CANCEL that the server side answered. TARGET: a target has been silent
 * for as long as its trunk allows. TRYING: a non-INVITE without a response for so long gets its 100 (RFC 4320 4.1). */
#define BP_TIMERS(X) \
	X(A) X(B) X(C) X(D) X(E) X(F) X(G) X(H) X(I) X(J) X(K) X(L) X(M) \
	X(CANCEL_E) X(CANCEL_F) X(CANCEL_K) X(CANCEL_J) X(TARGET) X(TRYING) X(DIALOG)

enum bp_timer {
#define X(letter) BP_TIMER_##letter,
	BP_TIMERS(X)
#undef X
	BP_TIMER_COUNT,
};

/* The constants: T1 doubled 0..6 times, T2, T4; what is left of 64*T1 after T1. */
enum {
	BP_DURATION_T1,
	BP_DURATION_64T1 = 6,
	BP_DURATION_T2,
	BP_DURATION_T4,
	BP_DURATION_63T1,
	BP_DURATION_COUNT,
};

struct bp_timer_entry {
	uint64_t deadline_us : 48; /* nine years */
	uint64_t timer : 6;        /* enum bp_timer */
	uint64_t branch : 4;
	uint64_t step : 6; /* times the interval was doubled (A, E, G), or has still to run (D); M: 1 with L */
	uint32_t index;    /* record, or dialog for BP_TIMER_DIALOG */
	uint32_t generation;
};
static_assert(sizeof(struct bp_timer_entry) == 16, "counted in the bytes of a transaction");

#define BP_TIMER_CHUNK_ENTRIES 255
struct bp_timer_chunk {
	struct bp_slot slot;
	struct bp_timer_chunk *next;
	struct bp_timer_entry entries[BP_TIMER_CHUNK_ENTRIES];
};
static_assert(sizeof(struct bp_timer_chunk) == 4096, "a page");

struct bp_timer_fifo {
	struct bp_timer_chunk *head, *tail;
	uint16_t read, write; /* places in head and tail */
};

/* At most one new chunk of each FIFO while one message is dealt with: none arms 255 entries. */
#define BP_TIMER_STOCK BP_DURATION_COUNT

struct bp_timers {
	struct bp_memory_home *memory;
	struct bp_timer_chunk *stock; /* for when the pool is dry: nothing that runs already must lose a timer */
	unsigned stock_count;
	uint32_t credit; /* taken from the common one, not promised */
	uint64_t duration_us[BP_DURATION_COUNT];
	struct bp_timer_fifo fifos[BP_DURATION_COUNT];
	unsigned popped;    /* duration of the entry that was popped last, or is the next */
	uint64_t others_us; /* no FIFO but that one has an earlier deadline */
	uint64_t heads_us[BP_DURATION_COUNT]; /* deadlines of the heads, UINT64_MAX: empty */
	uint64_t armed; /* entries waiting */
};

void bp_timers_begin(struct bp_timers *timers, struct bp_memory_home *memory, const struct bp_config_timers *config);

/* New durations from now on; what is armed keeps its deadline. */
void bp_timers_configure(struct bp_timers *timers, const struct bp_config_timers *config);

/* Fills the stock. False: the pool is dry. */
bool bp_timers_fill(struct bp_timers *timers);

/* A timer that found no memory would leave its record for ever, so all that a record may have at one time are promised
 * before it is made, and more before a branch is added. False: no more can be, or the stock is not full. Each worker
 * takes credit from the common one in larger pieces.
 *
 * What a record redeems at its end says nothing about the entries that it leaves behind in the FIFOs: those are paid
 * for by the chunk. A FIFO's second chunk and each further one takes BP_TIMER_CHUNK_ENTRIES from the common credit and
 * gives them back as it goes home, and nothing is promised while the credit is overdrawn. So at each promise
 *     promised + entries in FIFOs <= credit + one chunk a FIFO,
 * and until the next one no more entries can come than are promised: whatever waits, of the living or the dead, has
 * room in bp_timers_chunks(). No time is in that: it holds for a worker that is held up, too. */
bool bp_timers_promise(struct bp_timers *timers, unsigned count);

/* The record is over, or was never made. Any worker. */
void bp_timers_redeem(struct bp_timers *timers, unsigned count);

/* A record with one branch has at most a dozen timers that have not run: A B C TARGET, D or M, G, H or L, I, and E F K
 * J of its CANCEL. A further branch has A B C TARGET, D or M, E F K. */
#define BP_TIMERS_OF_RECORD 12u
#define BP_TIMERS_OF_BRANCH 8u
#define BP_TIMER_CREDIT_PIECE 256u
#define BP_TIMER_CREDIT_IDLE (2 * BP_TIMER_CREDIT_PIECE) /* of one worker, at most out of the others' reach */
/* Entries that wait, for each record and each dialog that there can be, when all are in use: by ordinary calls (two), or
 * by calls to a dead core, whose records end T4 after the ACK and leave H behind for 64*T1. With more, fewer records can
 * be made. */
#define BP_TIMERS_WAITING 6u
#define BP_TIMERS_WAITING_OF_DIALOG 2u

static inline uint64_t
bp_timers_credit(uint32_t records, uint32_t dialogs, uint16_t workers)
{
	return (uint64_t)records * (BP_TIMERS_OF_RECORD + BP_TIMERS_WAITING) + (uint64_t)dialogs * BP_TIMERS_WAITING_OF_DIALOG +
		(uint64_t)workers * BP_TIMER_CREDIT_IDLE;
}

/* What a worker's pool needs beyond what is full: of each FIFO the first chunk, which nobody pays for, and the two at its
 * ends, which may be half empty; a payment under way; the stock; slots that it carved and does not use. */
#define BP_TIMER_CHUNKS_OF_WORKER (3 * BP_DURATION_COUNT + 1 + BP_TIMER_STOCK + 32)

/* Chunks that are enough for that credit. A dialog's timer is not promised: between two promises each dialog can come to
 * one and, as its slot has another life, leave one. */
static inline uint32_t
bp_timers_chunks(uint64_t credit, uint32_t dialogs, uint16_t workers)
{
	return (uint32_t)((credit + 2 * (uint64_t)dialogs) / BP_TIMER_CHUNK_ENTRIES + 1) +
		BP_TIMER_CHUNKS_OF_WORKER * workers;
}

static inline unsigned
bp_timers_of(unsigned branches)
{
	return BP_TIMERS_OF_RECORD + BP_TIMERS_OF_BRANCH * (branches - 1);
}

/* Appends @entry to run one @duration after @now_us; sets its deadline. False: no memory for it. */
bool bp_timer_arm(struct bp_timers *timers, unsigned duration, struct bp_timer_entry entry, uint64_t now_us);

/* Makes the entry come back at @deadline_us or a hop before it: the one who takes it looks at the deadline that
 * he keeps, and arms it again. Never late by more than T1. */
bool bp_timer_arm_hop(
	struct bp_timers *timers, uint64_t deadline_us, struct bp_timer_entry entry, uint64_t now_us);

/* Takes the most overdue entry whose deadline is at or before @now_us. */
bool bp_timer_pop(struct bp_timers *timers, uint64_t now_us, struct bp_timer_entry *entry);

/* The entry that comes @count places after the one that was popped last, NULL: not known. For prefetching. */
const struct bp_timer_entry *bp_timer_ahead(const struct bp_timers *timers, unsigned count);

/* Deadline of the next entry, UINT64_MAX: none. */
uint64_t bp_timer_next(const struct bp_timers *timers);

/* Duration class of the @step-th interval of timers A (unbounded), E and G (up to T2). */
unsigned bp_timer_doubled(const struct bp_timers *timers, unsigned step, bool to_t2);

/* How long after a request its timer E reaches T2: when a 100 to a non-INVITE is due (RFC 4320 4.1). Microseconds. */
uint64_t bp_timer_trying_us(const struct bp_timers *timers);

/* "A", "CANCEL_F" ... Static. */
const char *bp_timer_name(enum bp_timer timer);

#endif
