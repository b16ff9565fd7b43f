/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Call detail records on the worker. A record is a block of kept memory, taken at the INVITE and hung on the
 * call's slot; the first 2xx makes it the dialog's. Who takes it off the slot, by an exchange, ends it: attempt or
 * dialog, once. From there it goes to control without a copy and comes back to the worker that posted it, for RCU:
 * others may still look.
 */
#ifndef BYEPASS_DIALOG_CDR_H
#define BYEPASS_DIALOG_CDR_H

#include "byepass/cdr.h"
#include "sip/message.h"
#include "transaction/slab.h"

struct bp_dialog;
struct bp_dialog_worker;

struct bp_cdr_block {
	struct bp_slot slot;
	struct bp_cdr_block *next; /* in a list of its worker's post */
	struct bp_cdr cdr;
};

/* One a worker. Two lists that one side pushes to and the other takes whole: never full, so no record that has
 * memory is lost on its way. */
struct bp_cdr_post {
	_Atomic(struct bp_cdr_block *) out; /* worker: push, control: take */
	_Atomic(struct bp_cdr_block *) back __attribute__((aligned(64))); /* control: push, worker: take */
	/* worker: rw */
	struct bp_cdr_block *home __attribute__((aligned(64))); /* of back, what is not retired yet */
	uint64_t serial;
	uint64_t now_us;
	bool on; /* new calls have a record */
	uint8_t worker;
	/* What the act at hand knows of an answer or an end that dialog.c will decide. */
	const struct bp_flow *target; /* that answered */
	uint64_t attempt;
	uint64_t end_us; /* the BYE came; 0: it ends now */
	uint8_t ended_by;
	bool early_bye;
	struct {
		const char *text;
		unsigned size;
	} reason;
};

/* What a record holds from the beginning. */
struct bp_cdr_begin {
	const struct bp_sip_message *m; /* the INVITE, or a response to it; well-formed or not */
	const struct bp_flow *source;   /* NULL: not known any more, as the rest */
	const struct bp_flow *target;
	const char *realm_in, *realm_out, *trunk_out; /* NULL: none */
	bool trusted;                                 /* the caller's realm: P-Asserted-Identity is believed */
	uint64_t attempt;
};

/* A record of @begin, from now on. NULL: no memory; not counted. */
struct bp_cdr_block *bp_cdr_make(const struct bp_dialog_worker *worker, const struct bp_cdr_begin *begin);

/* One that nobody saw: back without a trace. NULL is legal. */
void bp_cdr_discard(const struct bp_dialog_worker *worker, struct bp_cdr_block *block);

/* A record is lost for want of memory. */
void bp_cdr_lost(const struct bp_dialog_worker *worker);

/* The block becomes the record's end: who has taken it off its slot, and nobody else. */
void bp_cdr_finish(const struct bp_dialog_worker *worker, struct bp_cdr_block *block, enum bp_cdr_kind kind,
	enum bp_cdr_why why, enum bp_cdr_ender by, uint64_t end_us);

void bp_cdr_set_reason(struct bp_cdr *cdr, const char *text, unsigned size);

/* The slot's record, taken off it; NULL: it has none, or another was first. */
struct bp_cdr_block *bp_cdr_take_off(struct bp_dialog *dialog);

/* The calls of dialog.c. */
/* @response, a 2xx, makes @dialog of @call, the same or a sibling; nobody sees @dialog yet. */
void bp_cdr_answered(const struct bp_dialog_worker *worker, struct bp_dialog *call, struct bp_dialog *dialog,
	const struct bp_sip_message *response);
/* @dialog has ended; @acked: its ACK was seen. */
void bp_cdr_dialog_ended(
	const struct bp_dialog_worker *worker, struct bp_dialog *dialog, enum bp_dialog_end reason, bool acked);
/* The INVITE's record is over, and nobody made a dialog of its slot. */
void bp_cdr_released(const struct bp_dialog_worker *worker, struct bp_dialog *call);

/* Takes back what control is done with, a bounded number. Once a turn, when there is something to take back. */
void bp_cdr_take_back(const struct bp_dialog_worker *worker);

static inline bool
bp_cdr_has_back(const struct bp_cdr_post *post)
{
	return post->home != NULL || atomic_load_explicit(&post->back, memory_order_relaxed) != NULL;
}

/* Control: all that @post has, oldest first; each is given back with bp_cdr_give_back(). */
struct bp_cdr_block *bp_cdr_collect(struct bp_cdr_post *post);
void bp_cdr_give_back(struct bp_cdr_post *post, struct bp_cdr_block *block);

#endif
