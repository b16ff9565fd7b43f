/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generator's insides, shared by its files. Private to tests/bench/generator and its tests.
 */
#ifndef BYEPASS_BENCH_STATE_H
#define BYEPASS_BENCH_STATE_H

#include "generator/call.h"
#include "generator/compare.h"
#include "generator/generator.h"
#include "generator/schedule.h"
#include "generator/template.h"
#include "generator/timers.h"

#include <rte_mbuf.h>

#define SHAPES_MAX 128
#define SHAPE_FIELDS_MAX 24
#define SHAPE_NONE 255
#define REPLIES_MAX 4
#define BURST 32
#define TX_MAX 256
#define STASH_MAX 512
#define FINE_SHIFT 5 /* of the times in a call: 32 cycles */
#define BACKOFF_MAX 16

enum side_id { CALLER, CALLEE };

struct field {
	uint16_t at; /* in the message */
	uint16_t size;
	uint16_t kept; /* FIELD_OPAQUE: where in what is kept */
	uint8_t kind;  /* enum field_kind */
};

/* What a message of one form looks like, by a first one that was checked in full: its bytes, and which of them
 * vary; and what is sent because of it. */
struct shape {
	uint16_t size;   /* of the message */
	uint16_t status; /* of a response, else 0 */
	uint8_t side;    /* enum side_id: who receives it */
	uint8_t kind;    /* enum gen_kind */
	uint8_t next;    /* another shape of this size, or SHAPE_NONE */
	uint8_t number_count, field_count;
	bool used, own_tag;  /* own_tag: the response has the callee's tag, so it is the callee's */
	uint16_t kept_size;
	uint16_t branch_kept, branch_size; /* the target's branch in what is kept */
	uint32_t users;     /* blocks that need it */
	uint64_t learned;    /* when, by the count of slow messages */
	uint16_t numbers[SHAPE_FIELDS_MAX];
	struct field fields[SHAPE_FIELDS_MAX]; /* but for the numbers */
	struct template *replies[REPLIES_MAX];
	uint8_t expected[MESSAGE_MAX] __attribute__((aligned(64)));
	uint8_t mask[MESSAGE_MAX] __attribute__((aligned(64)));
};
static_assert(MESSAGE_MAX % COMPARE_STEP == 0, "compared in steps");

/* What a shape's replies are. */
enum { REPLY_TRYING, REPLY_RINGING, REPLY_OK, REPLY_TERMINATED };  /* of the callee's INVITE */
enum { REPLY_ACK, REPLY_BYE };                                     /* of the caller's 200 */
enum { REPLY_ACK_FINAL };                                          /* of another final response */
enum { REPLY_OK_REQUEST };                                         /* of other requests */

struct side {
	struct gen_end end;
	uint16_t place_count;
	uint32_t text_size; /* of every place's text */
	bool mac_known;
	uint64_t asked; /* ARP: when */
	struct place places[GEN_PLACES_MAX];
	uint8_t by_size[MESSAGE_MAX + 1]; /* the first shape of a size */
	uint8_t ethernet[14];             /* header of what is sent */
	uint32_t sum;                     /* of the constant part of its IPv4 headers */
	uint16_t tx_count;
	struct rte_mbuf *tx[TX_MAX];
};

/* Intervals of retransmission in ticks, the last one up to the end; 0 behind it. */
struct backoff {
	uint32_t intervals[BACKOFF_MAX];
};

struct gen {
	/* each turn */
	uint64_t now;  /* TSC */
	uint32_t tick; /* the timers' now */
	bool ready, direct, shared_queue;
	bool redirect; /* direct, and there is more than one place */
	uint64_t random;
	const struct compare *compare;
	struct calls calls;
	struct schedule schedule;
	uint64_t begun; /* calls, for calls_total */
	struct timers timers;
	uint32_t ring, hold, t1_64, no_final; /* in ticks */
	struct backoff doubled, capped;       /* timer A; timers E, G and the callee's 200 */
	uint8_t scenarios[256];               /* the mix: one of them is drawn */
	struct side sides[2];
	uint32_t stash_count;
	struct rte_mbuf *stash[STASH_MAX];
	struct rte_mempool *pool;
	struct template invite, cancel, options_request, register_request, ping;
	/* what must come */
	char run[9]; /* in Call-IDs */
	char target[64];
	char offer[MESSAGE_MAX], answer[MESSAGE_MAX]; /* SDP */
	uint32_t offer_size, answer_size;
	char *extra; /* header lines of the file, pieces */
	struct lesson *lesson;
	struct shape *shapes;
	struct template *replies; /* REPLIES_MAX of each shape */
	struct gen_options options;
	struct gen_report report; /* since the last reset */
};

static inline uint32_t
fine(uint64_t tsc)
{
	return (uint32_t)(tsc >> FINE_SHIFT);
}

/* Cycles from a call's time to now. */
static inline uint64_t
since(const struct gen *gen, uint32_t then)
{
	return (uint64_t)(uint32_t)(fine(gen->now) - then) << FINE_SHIFT;
}

static inline uint32_t
due_in(const struct gen *gen, uint32_t ticks)
{
	return (gen->tick + ticks) | 1; /* 0 is none */
}

#endif
