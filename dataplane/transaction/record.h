/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The relay record: one request that the edge forwards, its server side and its client
 * branches. It never moves, and its slot's memory stays a record for ever. Any worker
 * may act on it: the words decide who. What hangs on it (kept messages) is published with
 * release stores and retired through RCU.
 */
#ifndef BYEPASS_TRANSACTION_RECORD_H
#define BYEPASS_TRANSACTION_RECORD_H

#include "byepass/flow.h"
#include "sip/message.h"
#include "transaction/keyed_hash.h"
#include "transaction/machine.h"
#include "transaction/slab.h"
#include "transaction/table.h"
#include "transaction/word.h"

#include <stddef.h>

#define BP_NO_INDEX UINT32_MAX

/* One client branch: 64 bytes. */
struct bp_branch {
	bp_word word;
	struct bp_flow flow;           /* where the request goes; const once published */
	_Atomic uint64_t c_deadline_us; /* timer C, moved on by each 1xx but 100 (16.7 step 2) */
	uint64_t reserved[3];
};
static_assert(sizeof(struct bp_branch) == 64, "a cache line");

struct bp_record {
	/* cache line 0: lookup */
	struct bp_slot slot;
	bp_word server;
	struct cds_lfht_node node;
	uint64_t id[2];  /* keyed hash of the server transaction's identity (17.2.3) */
	uint8_t method;  /* enum bp_method; INVITE: IST and ICT, else NIST and NICT */
	uint8_t branch_count;
	uint16_t reserved0;
	uint32_t reserved1;
	/* cache line 1: upstream */
	struct bp_flow upstream;             /* where responses go (18.2.2, RFC 3581) */
	_Atomic(struct bp_kept *) response; /* to repeat; a final one is never replaced by a 1xx */
	_Atomic(struct bp_kept *) request;  /* as sent on branch 0; NULL once no longer needed */
	uint64_t routing_hash;               /* RFC 5393 4.2: tells a loop from a spiral */
	uint32_t dialog;                     /* the call that the INVITE reserved, or the dialog that a BYE ends */
	uint32_t dialog_generation;
	_Atomic(struct bp_kept *) reason; /* Reason lines of a CANCEL that waits for the first 1xx */
	/* cache line 2: the first branch */
	struct bp_branch branches[1];
	/* cache line 3 */
	uint64_t reserved2[8];
} __attribute__((aligned(64)));
static_assert(sizeof(struct bp_record) == 256, "four cache lines");
static_assert(offsetof(struct bp_record, upstream) == 64, "cache line 1");
static_assert(offsetof(struct bp_record, branches) == 128, "cache line 2");

/* The identity of a server transaction (17.2.3): branch and sent-by, or for RFC 2543 the Request-URI, From tag,
 * Call-ID, CSeq number and top Via. The method is compared in the bucket. */
void bp_record_identity(const struct bp_hash_key *key, const struct bp_sip_message *m, uint64_t id[2]);

/* What a received request looks for: an ACK its INVITE, a CANCEL whatever it cancels (9.2), another its like. */
struct bp_record *bp_record_find(struct bp_table *table, const uint64_t id[2], enum bp_method method);

/* Insert-if-absent. Returns @record, or the one that was first. */
struct bp_record *bp_record_add(struct bp_table *table, struct bp_record *record);

/* Result of one event on a word. */
struct bp_swap {
	uint64_t before, after;
	enum bp_action action;
};

/* One event on a server or branch word by compare-and-swap; @set: bits that go in with it, @status: into the word's
 * status unless 0. Returns what the winner must do; a stale generation gives BP_DO_DROP. Lock-free. */
struct bp_swap bp_server_event(struct bp_record *record, uint32_t generation, unsigned event, uint64_t set, uint16_t status);
struct bp_swap bp_branch_event(
	struct bp_record *record, uint32_t generation, unsigned branch, unsigned event, uint64_t set, uint16_t status);

/* A branch came to its end without a 2xx: one branch less is pending. When it was the last the event TU_3XX_6XX or
 * TU_FINAL happens in the same swap; else the action is BP_DO_ABSORB. */
struct bp_swap bp_server_branch_done(struct bp_record *record, uint32_t generation, uint16_t status);

/* A CANCEL came (9.2). Sets CANCEL_ASKED while a final response is still to come, and starts the NIST of the CANCEL.
 * action: BP_DO_SEND for the first, BP_DO_REPEAT_RESPONSE for its retransmission. */
struct bp_swap bp_server_cancel(struct bp_record *record, uint32_t generation);

/* The branch's own CANCEL: starts its NICT if 1xx was seen, no final is there and none was sent (9.1). True: the
 * caller sends it. */
bool bp_branch_cancel(struct bp_record *record, uint32_t generation, unsigned branch);

/* An event of the CANCEL's own NICT (branch) or NIST (server; timer J). */
struct bp_swap bp_branch_cancel_event(struct bp_record *record, uint32_t generation, unsigned branch, unsigned event);
struct bp_swap bp_server_cancel_event(struct bp_record *record, uint32_t generation, unsigned event);

/* True for exactly one caller, once every machine of the record is over: he takes it out of the table and frees it.
 * The words carry the next generation from then on. */
bool bp_record_end(struct bp_record *record, uint32_t generation);

/* Publishes what is to be repeated upstream; the replaced one, or @kept itself if it came too late, is returned to
 * be retired. May be NULL. */
struct bp_kept *bp_record_keep_response(struct bp_record *record, struct bp_kept *kept);

static inline bool
bp_record_is_invite(const struct bp_record *record)
{
	return record->method == BP_METHOD_INVITE;
}

#endif
