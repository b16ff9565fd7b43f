/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of `byepass-bench engine` share: the edge without packets (engine_edge.c), the messages of a call
 * (engine_messages.c), and the run (engine.c).
 */
#ifndef BYEPASS_BENCH_ENGINE_H
#define BYEPASS_BENCH_ENGINE_H

#include "proxy/engine.h"
#include "transaction/branch_id.h"

#include <stdbool.h>
#include <stdint.h>

#define ENGINE_STEPS 6    /* messages that come in for one call */
#define ENGINE_OUT_MAX 3  /* messages that go out for one that came in */
#define ENGINE_SIZE_MAX 2048
#define ENGINE_NUMBER 10  /* digits of a call's number */
#define ENGINE_TOKEN 64   /* at most, of a route token */
#define ENGINE_FIELDS_MAX 24

/* ---- engine_messages.c ---- */

/* What the far ends remember of a call until it is over. */
struct engine_call {
	char branch[BP_BRANCH_ID_SIZE]; /* of the request that went out last */
	char tokens[2][ENGINE_TOKEN];   /* of the two Record-Routes, the upper one first */
};

enum engine_field { ENGINE_CALL_NUMBER, ENGINE_BRANCH, ENGINE_TOKEN_0, ENGINE_TOKEN_1 };

/* A message with the places that differ from call to call; all of a fixed width. */
struct engine_template {
	uint32_t size;
	unsigned count;
	struct {
		uint16_t offset;
		uint8_t field; /* enum engine_field */
	} fields[ENGINE_FIELDS_MAX];
	uint8_t bytes[ENGINE_SIZE_MAX];
};

/* One message that goes out: how the first of its kind looked. */
struct engine_expected {
	const char *begin; /* it begins so */
	bool upstream;     /* to the caller */
	bool own_tag;      /* its To tag is the edge's */
	bool learned;
	uint32_t size;
	uint16_t numbers[ENGINE_FIELDS_MAX], number_count; /* where the call's number stands */
	uint16_t branch_at, token_at[2]; /* in a request that goes to the callee; 0: it has none */
	uint16_t tag_at;
	uint8_t bytes[ENGINE_SIZE_MAX];
};

struct engine_step {
	const char *name; /* of the message that comes in */
	bool from_callee;
	const char *text; /* see engine_messages.c */
	unsigned out_count;
	struct engine_expected out[ENGINE_OUT_MAX];
	struct engine_template in;
};

struct engine_scenario {
	const char *name;
	struct engine_step steps[ENGINE_STEPS];
};

struct engine_scenario *engine_scenario(const char *name);

/* Cuts the texts into templates, once @token_size is known from the first INVITE: with 0 that one alone. */
void engine_compile(struct engine_scenario *scenario, unsigned token_size);

/* The message of @step in call @number into @out. Returns its size. */
uint32_t engine_fill(
	const struct engine_step *step, const struct engine_call *call, uint64_t number, uint8_t *out);

/* Checks what went out and takes from it what the call needs. @whole: every byte of it. False: it is wrong. */
bool engine_take(struct engine_expected *expected, struct engine_call *call, uint64_t number, const uint8_t *bytes,
	uint32_t size, bool whole);

/* Size of the route tokens in an INVITE that went out. */
unsigned engine_token_size(const struct engine_expected *invite);

/* ---- engine_edge.c ---- */

struct engine_options {
	struct engine_scenario *scenario;
	uint64_t calls;     /* measured */
	uint32_t rate;      /* calls a second of virtual time */
	uint32_t linger_ms; /* 64*T1 */
	uint32_t spread;    /* calls that begin between two messages of one call */
	uint32_t group;     /* calls of one turn */
	uint32_t burst;     /* messages handed over at once; 0: one by one */
	const char *variant; /* of the parser; NULL: the best */
	const char *json;
	unsigned cpu;
	bool plain_pages;
};

#define ENGINE_SENT_MAX 256

struct engine_sent {
	struct bp_flow to;
	uint32_t size;
	uint8_t bytes[ENGINE_SIZE_MAX] __attribute__((aligned(64)));
};

struct engine_edge {
	struct bp_config *config;
	struct bp_edge *edge;
	struct bp_engine *engine;
	struct bp_counters *counters;
	struct bp_flow caller, callee;
	/* what was sent since it was looked at last */
	unsigned sent_count;
	struct engine_sent *sent;
	/* freed memory that waits for the end of the turn */
	unsigned batch_count;
	struct bp_batch *batches[64];
};

/* Exits when there is no memory for it. */
void engine_edge_begin(struct engine_edge *e, const struct engine_options *options);
/* Gives back what was freed: the part of it that does not run on the worker. */
void engine_edge_release(struct engine_edge *e);
void engine_edge_end(struct engine_edge *e);
/* "huge pages", "transparent huge pages", "4 KiB pages" */
const char *engine_edge_pages(void);
uint64_t engine_edge_bytes(void); /* of all pools */

#endif
