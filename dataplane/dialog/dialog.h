/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dialogs (RFC 3261 12). A slot is reserved at the INVITE, because the Record-Route token must name
 * the call before any To tag exists; the first 2xx makes it a dialog, further 2xx of a fork
 * get slots of their own. Found by token, or by Call-ID and tags in a table shared by all
 * workers under RCU.
 */
#ifndef BYEPASS_DIALOG_DIALOG_H
#define BYEPASS_DIALOG_DIALOG_H

#include "byepass/counters.h"
#include "dialog/cdr.h"
#include "dialog/route_token.h"
#include "transaction/record.h"
#include "transaction/timers.h"

#define BP_DIALOG_STATES(X) \
	X(FREE) X(RESERVED) /* by an INVITE */ X(FILLING) /* a 2xx is being written in */ \
	X(CONFIRMED) /* 2xx sent, no ACK yet */ X(ACKED) X(ENDED)

enum bp_dialog_state {
#define X(name) BP_DIALOG_##name,
	BP_DIALOG_STATES(X)
#undef X
};

/* word: generation in the upper half, HELD, state. HELD: the INVITE's record still refers to the slot, so that a 2xx
 * repeated after the end is known for what it is. */
#define BP_DIALOG_HELD (UINT64_C(1) << 4)

#define BP_DIALOG_SIBLINGS_MAX 8 /* dialogs of one INVITE that are kept; further 2xx go through all the same */
#define BP_CONTACT_SIZE_MAX 512  /* of a remote target that is kept */

/* Where requests to one side go, in kept memory, replaced as a whole by a target refresh (12.2). Behind the URI stand
 * bp_names.text, if the edge itself may have to say BYE. */
struct bp_remote {
	struct bp_flow flow; /* next hop */
	uint16_t by_contact; /* the flow follows from the Contact, and changes with it */
	uint16_t uri_size;   /* remote target; 0: none is known */
	uint16_t name_size, call_id_size, routes_size; /* as in bp_names */
	char uri[];
};

static inline uint32_t
bp_names_size(const struct bp_remote *remote)
{
	return (uint32_t)remote->name_size + remote->call_id_size + remote->routes_size;
}

/* What a request of the edge's own to one side needs beyond its target (12.2.1.1). */
#define BP_NAMES_SIZE_MAX 1024
struct bp_names {
	uint16_t name_size;    /* "<URI>;tag=TAG": that side in From and To; 0: not kept */
	uint16_t call_id_size; /* the caller's remote has it, for both */
	uint16_t routes_size;  /* elements of Route, nearest first, ", " between them */
	char text[BP_NAMES_SIZE_MAX]; /* name, Call-ID, routes */
};

struct bp_dialog {
	/* cache line 0: lookup */
	struct bp_slot slot;
	bp_word word;
	struct bp_table_node node; /* its id: keyed digest of Call-ID and both tags */
	uint64_t call_id_hash;
	uint64_t answered_us;
	_Atomic(struct bp_cdr_block *) cdr; /* its call detail record, NULL: none; who takes it off ends it */
	/* cache line 1: the two sides */
	uint64_t tags[2];                     /* keyed digests, by enum bp_side; const once CONFIRMED */
	_Atomic(struct bp_kept *) remotes[2]; /* struct bp_remote, by the side that it leads to; RCU */
	_Atomic uint32_t sibling;             /* index + 1 of another dialog of the same INVITE; 0: none */
	uint32_t call;                        /* index of the slot that the INVITE reserved: its own, or a sibling's */
	_Atomic uint32_t cseq[2]; /* highest CSeq number of each side's requests; 0: it has sent none */
	uint32_t invite_cseq;     /* of the INVITE that the 2xx answered; const once CONFIRMED */
	uint16_t trunk;           /* that the INVITE went to, or BP_CONFIG_NONE */
	uint16_t reserved1;
	_Atomic uint64_t session; /* expiration in us (RFC 4028 8.2), shifted by one; bit 0: enum bp_side that refreshes; 0: none */
} __attribute__((aligned(64)));
static_assert(sizeof(struct bp_dialog) == 128, "with two remotes of 96 to 192 bytes below 512");

/* Shared by all workers. */
struct bp_dialogs {
	struct bp_memory *memory;
	struct bp_table *table;
	struct bp_digest_key key;
};

/* What a worker brings along. */
struct bp_dialog_worker {
	struct bp_dialogs *dialogs;
	struct bp_memory_home *memory;
	struct bp_timers *timers;
	struct bp_counters *counters;
	struct bp_cdr_post *cdr;
};

/* A next hop, and whether it follows from a Contact; the Contact of the message that it was learned from. */
struct bp_hop {
	struct bp_flow flow;
	bool by_contact;
	struct bp_span contact; /* see bp_dialog_contact(); size 0: none */
	const struct bp_names *names; /* NULL: are not kept */
};

/* The URI of the first Contact: cut open in *@uri, and in *@kept what of it can be a remote target; size 0: nothing.
 * False: there is none, or it is malformed. */
bool bp_dialog_contact(const struct bp_sip_message *m, struct bp_sip_uri *uri, struct bp_span *kept);

/* Reserves a slot for the INVITE @m; requests to its sender will go to @caller, whose Contact is its. NULL: no
 * memory. The slot is HELD. */
struct bp_dialog *bp_call_reserve(
	const struct bp_dialog_worker *worker, const struct bp_sip_message *m, const struct bp_hop *caller);

/* The INVITE's record is over: a slot that became no dialog goes back. */
void bp_call_release(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation);

/* A 2xx to the INVITE that reserved (@index, @generation): makes the dialog, or finds it made (a retransmission).
 * @caller: where its responses go; stands in for what is no longer known of the caller. @callee: where requests to the
 * callee go from now on, with the Contact of @response. Arms the timer that watches for its ACK and its age. NULL: no
 * memory, or the call is gone. */
struct bp_dialog *bp_dialog_confirm(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation,
	const struct bp_sip_message *response, const struct bp_flow *caller, const struct bp_hop *callee, uint64_t now_us);

/* bp_dialog_confirm() gave a dialog that another worker has not finished making. */
bool bp_dialog_is_filling(struct bp_dialog *dialog);

/* @m, a request or 2xx within the dialog, carries the Contact of @side (12.2.1.2, 12.2.2). @flow: that the Contact
 * leads to, NULL: to no address. */
void bp_dialog_refresh(const struct bp_dialog_worker *worker, struct bp_dialog *dialog, enum bp_side side,
	const struct bp_sip_message *m, const struct bp_flow *flow);

/* The dialog of an in-dialog request: the one of these tags in the call that the token's @index and @generation name
 * (BP_NO_INDEX: no token), else by Call-ID and tags. *@from: which side sends; *@found: the generation under which it
 * was up. NULL: none. RCU: valid until the next quiescent state. */
struct bp_dialog *bp_dialog_find(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index,
	uint32_t generation, enum bp_side *from, uint32_t *found);

/* The same, in that call only. */
struct bp_dialog *bp_dialog_find_in_call(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index,
	uint32_t generation, enum bp_side *from, uint32_t *found);

/* Which side of @dialog sent the request @m, or the request that the response @m is to. */
enum bp_side bp_dialog_side(const struct bp_dialogs *dialogs, const struct bp_dialog *dialog, const struct bp_sip_message *m);

/* Its ACK passed: the reaper need not wait for it any more. */
void bp_dialog_acked(struct bp_dialog *dialog);

/* Ends the dialog of that slot and generation, once. True for the one who did. */
bool bp_dialog_end(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation, enum bp_dialog_end reason);

/* The timer of a dialog came up. Returns the enum bp_dialog_end for which it is to be ended: the ACK is overdue (64*T1
 * after the 2xx, 13.3.1.4), its session has expired, or it is older than @max_age_us. -1: it is over already, or the
 * timer is armed again. */
int bp_dialog_due(const struct bp_dialog_worker *worker, const struct bp_timer_entry *entry, uint64_t max_age_us,
	uint64_t now_us);

/* A request of @from with this CSeq number passed (12.2.2). */
void bp_dialog_seen(struct bp_dialog *dialog, enum bp_side from, uint32_t cseq);

/* The same in an early dialog of the call that the token's @index and @generation name. */
void bp_call_seen(
	const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index, uint32_t generation);

/* A 2xx to an INVITE or UPDATE went up: the session expires at @end_us unless @refresher refreshes it; 0: it does not
 * expire (RFC 4028 8.2, 9). */
void bp_dialog_session(struct bp_dialog *dialog, enum bp_side refresher, uint64_t end_us);

/* The slot of a dialog; NULL: there is none of that index. RCU. */
struct bp_dialog *bp_dialog_at(const struct bp_dialogs *dialogs, uint32_t index);

/* Where requests to @side go. RCU: valid until the next quiescent state. NULL: not kept. */
const struct bp_remote *bp_dialog_remote(struct bp_dialog *dialog, enum bp_side side);

#endif
