/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dialogs (RFC 3261 12). A slot is reserved at the INVITE, because the Record-Route token must name
 * the call before any To tag exists; the first 2xx makes it a dialog, further 2xx of a fork
 * get slots of their own. Found by token, or by Call-ID and tags in a table shared by all
 * workers under RCU. 512 bytes each.
 */
#ifndef BYEPASS_DIALOG_DIALOG_H
#define BYEPASS_DIALOG_DIALOG_H

#include "byepass/counters.h"
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

#define BP_DIALOG_TEXT 368

/* word: generation in the upper half, HELD, state. HELD: the INVITE's record still refers to the slot. */
#define BP_DIALOG_HELD (UINT64_C(1) << 4)

struct bp_dialog {
	/* cache line 0: lookup */
	struct bp_slot slot;
	bp_word word;
	struct cds_lfht_node node;
	uint64_t id[2]; /* keyed hash of Call-ID and both tags */
	uint64_t call_id_hash;
	uint64_t answered_us;
	/* cache line 1: the two sides; const once the state is CONFIRMED */
	uint64_t caller_tag; /* keyed hashes */
	uint64_t callee_tag;
	struct bp_flow caller; /* where requests to the caller go */
	struct bp_flow callee;
	/* cache line 2.. */
	uint64_t reserved_us;
	uint16_t caller_contact_size; /* remote target URIs (12.2.1.1), in text; 0: not kept */
	uint16_t callee_contact_size;
	uint32_t reserved0;
	char text[BP_DIALOG_TEXT];    /* the caller's Contact URI, then the callee's */
} __attribute__((aligned(64)));
static_assert(sizeof(struct bp_dialog) == 512, "an established call");

/* Shared by all workers. */
struct bp_dialogs {
	struct bp_memory *memory;
	struct bp_table *table;
	struct bp_hash_key key;
};

/* What a worker brings along. */
struct bp_dialog_worker {
	struct bp_dialogs *dialogs;
	struct bp_memory_home *memory;
	struct bp_timers *timers;
	struct bp_counters *counters;
};

/* Reserves a slot for the INVITE @m that goes from @caller to @callee. NULL: none free. The slot is HELD. */
struct bp_dialog *bp_call_reserve(const struct bp_dialog_worker *worker, const struct bp_sip_message *m,
	const struct bp_flow *caller, const struct bp_flow *callee, uint64_t now_us);

/* The INVITE's record is over: a slot that became no dialog goes back. */
void bp_call_release(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation);

/* A 2xx to the INVITE that reserved (@index, @generation): makes the dialog, or finds it made (a retransmission).
 * Arms the timer that watches for its ACK and its age. NULL: no slot, or the call is gone. */
struct bp_dialog *bp_dialog_confirm(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation,
	const struct bp_sip_message *response, uint64_t now_us);

/* The dialog of an in-dialog request: by the token's @index and @generation when given (BP_NO_INDEX: not), else by
 * Call-ID and tags. *@from: which side sends. NULL: none. RCU: valid until the next quiescent state. */
struct bp_dialog *bp_dialog_find(const struct bp_dialogs *dialogs, const struct bp_sip_message *m, uint32_t index,
	uint32_t generation, enum bp_side *from);

/* Its ACK passed: the reaper need not wait for it any more. */
void bp_dialog_acked(struct bp_dialog *dialog);

/* Ends the dialog of that slot and generation, once. True for the one who did. */
bool bp_dialog_end(const struct bp_dialog_worker *worker, uint32_t index, uint32_t generation, enum bp_dialog_end reason);

/* The timer of a dialog came up: ends it when the ACK is overdue (64*T1 after the 2xx, 13.3.1.4) or it is older than
 * @max_age_us, else arms it again. */
void bp_dialog_expire(
	const struct bp_dialog_worker *worker, const struct bp_timer_entry *entry, uint64_t max_age_us, uint64_t now_us);

/* The Contact URI that requests to @side go to (remote target); NULL when it was not kept. */
const char *bp_dialog_contact(const struct bp_dialog *dialog, enum bp_side side, unsigned *size);

#endif
