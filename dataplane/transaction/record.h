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
#include "transaction/digest.h"
#include "transaction/machine.h"
#include "transaction/slab.h"
#include "transaction/table.h"
#include "transaction/word.h"

#include <stddef.h>

#define BP_NO_INDEX UINT32_MAX
#define BP_BRANCHES_MAX 7 /* client branches of one record, forked or one after another */

/* One client branch while its request is under way: a cache line. */
struct bp_branch {
	bp_word word;                       /* of branches 1 and up; that of branch 0 stands in the record */
	struct bp_flow flow;                /* where the request goes; const once the word is set */
	_Atomic uint64_t deadline_us;       /* timer C, moved on by each 1xx but 100 (16.7 step 2) */
	_Atomic(struct bp_kept *) request;  /* as sent on this branch */
	_Atomic(struct bp_kept *) response; /* its final response as it would go upstream, until the best is chosen */
	uint64_t started_us;
};
static_assert(sizeof(struct bp_branch) == 64, "a cache line");

/* The live part of a record: everything that is needed only until the final response. A block of kept memory,
 * published and retired through RCU. */
struct bp_live {
	struct bp_slot slot;
	uint64_t routing_hash;            /* RFC 5393 4.2: tells a loop from a spiral */
	_Atomic(struct bp_kept *) reason; /* Reason lines of a CANCEL that waits for the first 1xx */
	uint32_t config_generation;       /* of the snapshot that `trunk` is an index into */
	_Atomic uint32_t next_target;     /* of the trunk: the first that no branch was sent to */
	uint32_t call_place;              /* place of the call in the trunk's order of targets */
	uint16_t trunk;                   /* BP_CONFIG_NONE: no other target is known */
	uint8_t readdressed : 1;          /* the Request-URI names the target and changes with it */
	uint8_t room : 7;                 /* for branches: there are no more targets */
	uint8_t own_routes : 7;           /* Record-Route lines of ours on top of the request */
	uint8_t listed : 1;               /* where branches go stands in them already, all @room of them */
	struct bp_flow back;              /* what the callee's route token leads to */
	struct bp_branch branches[];
};
static_assert(sizeof(struct bp_live) == 64, "with one branch 128, with seven 512: classes of kept memory");

#define BP_SESSION_TIMER 0x80000000u /* the caller knows session timers */

struct bp_record {
	/* cache line 0: lookup */
	struct bp_slot slot;
	bp_word server;
	struct bp_table_node node;      /* its id: keyed digest of the server transaction's identity (17.2.3) */
	bp_word branch;                 /* word of branch 0 */
	_Atomic(struct bp_live *) live; /* NULL once nothing of it is needed */
	uint64_t reserved0;
	/* cache line 1: what lingers */
	struct bp_flow upstream;            /* where responses go (18.2.2, RFC 3581) */
	_Atomic(struct bp_kept *) response; /* to repeat; a final one is never replaced by a 1xx */
	_Atomic(struct bp_kept *) ack;      /* what repeated ACKs of branch 0 need through timer D */
	uint32_t dialog;                    /* the call that the INVITE reserved, or the dialog that a BYE ends */
	uint32_t dialog_generation;
	uint8_t method;                /* enum bp_method; INVITE: IST and ICT, else NIST and NICT */
	_Atomic uint8_t branch_count;  /* branches that were ever made */
	bool to_tagged; /* the request had a To tag */
	bool own : 1;     /* a BYE of the edge's own: nobody is upstream */
	bool watched : 1; /* the health of its trunk's targets is kept */
	uint32_t session; /* interval in s that the forwarded request asks for (RFC 4028 8.1), BP_SESSION_TIMER; 0: none */
} __attribute__((aligned(64)));
static_assert(sizeof(struct bp_record) == BP_RECORD_BYTES, "two cache lines");
static_assert(offsetof(struct bp_record, upstream) == 64, "cache line 1");

/* The identity of a server transaction (17.2.3): branch and sent-by, or for RFC 2543 the Request-URI, From tag,
 * Call-ID, CSeq number and top Via. The method is compared in the bucket. */
void bp_record_identity(const struct bp_digest_key *key, const struct bp_sip_message *m, uint64_t id[2]);

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

/* Whether the server side, by this word, still owes a final response. */
bool bp_server_final_owed(const struct bp_record *record, uint64_t word);

/* One branch more is pending: fails once a CANCEL was asked, the branches were stopped, or the final response is out. */
bool bp_server_branch_add(struct bp_record *record, uint32_t generation);

/* No new branches, and pending ones are to be cancelled: a 6xx came (16.7 step 5). */
void bp_server_stop(struct bp_record *record, uint32_t generation);

/* A branch came to its end without a 2xx: one branch less is pending. When it was the last the event TU_3XX_6XX or
 * TU_FINAL happens in the same swap; else the action is BP_DO_ABSORB. */
struct bp_swap bp_server_branch_done(struct bp_record *record, uint32_t generation, uint16_t status);

/* A CANCEL came (9.2). Sets CANCEL_ASKED while a final response is still to come, and starts the NIST of the CANCEL.
 * action: BP_DO_SEND for the first, BP_DO_REPEAT_RESPONSE for its retransmission, BP_DO_DROP when the record is over. */
struct bp_swap bp_server_cancel(struct bp_record *record, uint32_t generation);

/* The branch's own CANCEL: starts its NICT if 1xx was seen, no final is there and none was sent (9.1). True: the
 * caller sends it. */
bool bp_branch_cancel(struct bp_record *record, uint32_t generation, unsigned branch);

/* The branch has been silent for too long and another is tried instead. Fails once it has answered, or is over. Whoever
 * succeeds says that it is no longer pending, as no event of the branch does from then on. */
bool bp_branch_abandon(struct bp_record *record, uint32_t generation, unsigned branch);

/* There is no other after all: the abandoned branch is waited for again. Fails if it has answered, or is over, meanwhile. */
bool bp_branch_resume(struct bp_record *record, uint32_t generation, unsigned branch);

/* An event of the CANCEL's own NICT (branch) or NIST (server; timer J). */
struct bp_swap bp_branch_cancel_event(struct bp_record *record, uint32_t generation, unsigned branch, unsigned event);
struct bp_swap bp_server_cancel_event(struct bp_record *record, uint32_t generation, unsigned event);

/* True for exactly one caller, once every machine of the record is over: he takes it out of the table and frees it.
 * The words carry the next generation from then on. */
bool bp_record_end(struct bp_record *record, uint32_t generation);

/* Publishes what is to be repeated upstream; the replaced one, or @kept itself if it came too late, is returned to
 * be retired. May be NULL. */
struct bp_kept *bp_record_keep_response(struct bp_record *record, struct bp_kept *kept);

/* The word of a branch; NULL: that branch does not exist, or is over with its record's live part. RCU. */
bp_word *bp_branch_word(struct bp_record *record, unsigned branch);

static inline enum bp_transaction_kind
bp_kind_of(enum bp_method method)
{
	return method == BP_METHOD_INVITE ? BP_KIND_INVITE : BP_KIND_NON_INVITE;
}

static inline bool
bp_record_is_invite(const struct bp_record *record)
{
	return record->method == BP_METHOD_INVITE;
}

#endif
