/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What an input of the fuzz target `engine` means, byte by byte: what the world is like, then
 * what happens in it, step by step. Read by fuzz_engine.c, written by record.c.
 */
#ifndef BYEPASS_TESTS_FUZZ_ENGINE_INPUT_H
#define BYEPASS_TESTS_FUZZ_ENGINE_INPUT_H

/* The first byte. */
#define WORLD_TWO_WORKERS 0x01
#define WORLD_KIND(byte) ((byte) >> 1 & 3) /* enum world_kind */
#define WORLD_SMALL_POOLS 0x08
#define WORLD_HOLD_BATCHES 0x10 /* nothing freed is released before the end */
#define WORLD_INTERLEAVED 0x20  /* what is sent may be answered to the other worker before send() returns */

enum world_kind { KIND_PLAIN, KIND_FORK, KIND_FAILOVER, KIND_CORE6 };

/* Then steps, each a byte, modulo STEP_COUNT, and what it needs. "which": one of the messages that the edge
 * has sent, counted back from the latest. Numbers of two bytes have the low one first. */
enum step {
	STEP_RAW,      /* peer, size (2), so many bytes; in them ESCAPE, which, field: see enum field */
	STEP_REQUEST,  /* peer, method: outside a dialog */
	STEP_RESPONSE, /* which request, status, To tag */
	STEP_REACTION, /* which response, method: what its receiver says then; ACK and CANCEL of that hop too
			*/
	STEP_CALLEE,   /* which INVITE, method, To tag: in its dialog */
	STEP_AGAIN,    /* message (2), counted back from the latest that the edge received; peer */
	STEP_WAIT,     /* time (2), in 10 ms */
	STEP_UNREACHABLE, /* which: ICMP for it; how much of it is quoted, in 4 bytes */
	STEP_SPOIL,       /* in what is said next: offset (2), how many bytes go, how many come, those */
	STEP_NO_BUFFER,   /* how many reservations fail from now on */
	STEP_RELOAD,      /* enum world_kind: another configuration */
	STEP_RESTART,
	STEP_DRAIN,
	STEP_WORKER, /* who gets what is said from now on */
	STEP_COUNT,
};

#define ESCAPE 0x01

enum field {
	FIELD_BRANCH, /* of the topmost Via */
	FIELD_VIAS,   /* all lines */
	FIELD_ROUTES, /* Route lines, of its Record-Route backwards: as the caller has them */
	FIELD_FROM,
	FIELD_TO,
	FIELD_CALL_ID,
	FIELD_URI,
	FIELD_CONTACT,
	FIELD_COUNT,
};

#endif
